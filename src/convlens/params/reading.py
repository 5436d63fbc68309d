"""Reading params.yaml: any mistake is one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from convlens.errors import InputError
from convlens.params.sections import Params


def load(path: Path) -> Params:
    """Read and check a whole parameter file.

    Raises
    ------
    InputError
        Naming the file, the key, what was expected and what stands there.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        raw: Any = YAML(typ="safe", pure=True).load(path.read_text())
    except OSError as error:
        raise InputError(
            path,
            expected="a readable parameter file",
            found=str(error.strerror),
            fix="run from the repository's root, or restore the file with git",
        ) from error
    except YAMLError as error:
        raise InputError(
            path,
            expected="valid YAML",
            found=" ".join(str(error).split()),
            fix="mend that line",
        ) from error
    return check(raw, path)


def check(raw: Any, where: object) -> Params:
    """Check a parameter tree that came from `where`; raises InputError on the first mistake."""
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, where) from error


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
