"""Reading params.yaml: any mistake is one clear error."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convlens.errors import InputError
from convlens.params.nets import BY_NET, is_net
from convlens.params.sections import Params


def load(path: Path) -> Params:
    """Read and check a whole parameter file.

    Raises
    ------
    InputError
        Naming the file, the key, what was expected and what stands there.
    """
    return check(tree(path), path)


def tree(path: Path) -> Any:
    """Read a YAML file as plain values; raises InputError, naming it, if that can't be done."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            path,
            expected="a readable file of parameters",
            found=str(error.strerror),
            fix="run from the repository's root, or restore the file with git",
        ) from error
    except (YAMLError, ValueError) as error:  # ValueError: no UTF-8, or a date that is none
        raise InputError(
            path,
            expected="valid YAML",
            found=" ".join(str(error).split()),
            fix="mend that line",
        ) from error


def check(raw: Any, where: object) -> Params:
    """Check a parameter tree that came from `where`; raises InputError on the first mistake."""
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, where) from error


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings as (`a.b.c`, value)."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def put(tree: Any, key: str, value: Any, where: object) -> None:
    """Replace the leaf `a.b.c` of a tree; raises InputError, naming `where`, if there is none.

    A net that has no section yet starts with a copy of `vgg16`'s.
    """
    *parents, last = key.split(".")
    if parents and parents[0] not in tree and is_net(parents[0]):
        tree[parents[0]] = copy.deepcopy(tree["vgg16"])
    each = ".".join(parents) in BY_NET
    for parent in parents:
        tree = tree.get(parent) if isinstance(tree, Mapping) else None
    if not isinstance(tree, Mapping) or not (last in tree or each):
        raise InputError(
            f"{where}: {key}",
            expected="a key of params.yaml",
            found="none",
            fix="mend its spelling",
        )
    tree[last] = value  # type: ignore[index]


def changed(given: Params, changes: Mapping[str, Any], where: object) -> Params:
    """Return `given` with the leaves that `changes`, which came from `where`, names."""
    tree = given.model_dump()
    for key, value in flat(changes):
        put(tree, key, value, where)
    return check(tree, where)


def _explain(error: ValidationError, where: object) -> InputError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
    if first["type"] == "extra_forbidden":
        expected, found, fix = "a known key", "an unknown key", "remove it or mend its spelling"
    elif first["type"] == "missing":
        expected, found, fix = "a value", "no such key", "add the key (git shows the default)"
    else:
        expected = first["msg"].removeprefix("Value error, ")
        found, fix = repr(first["input"]), "mend this value"
        if len(found) > 120:
            found = "the values that stand there"
    return InputError(f"{where}: {key}", expected=expected, found=found, fix=fix)
