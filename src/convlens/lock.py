"""What dvc.lock says: which parameters and files each stage ran with, and what it made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convlens.errors import InputError
from convlens.params import flat

Stages = Mapping[str, Mapping[str, Any]]


def outputs(lock: Path) -> dict[str, dict[str, str]]:
    """Return {stage: {path: digest}} of a dvc.lock; the digest of a folder covers its files.

    Raises
    ------
    InputError
        If it is damaged.
    """
    return {
        name: {out["path"]: out["md5"] for out in stage.get("outs", ())}
        for name, stage in stages(lock).items()
    }


def stages(lock: Path) -> Stages:
    """Return {stage: what it ran with and made} of a dvc.lock; empty if there is none.

    Raises InputError if it is damaged.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not lock.exists():
        return {}
    try:
        found: dict[str, dict[str, Any]] = YAML(typ="safe").load(lock)["stages"]
        for stage in found.values():
            for file in (*stage.get("deps", ()), *stage.get("outs", ())):
                file["path"], file["md5"]
    except (YAMLError, AttributeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(
            lock,
            expected="a lock file that DVC wrote",
            found=f"damaged: {type(error).__name__}",
            fix="`git checkout dvc.lock`, or remove it: `make repro` makes it from DVC's cache",
        ) from error
    return found


def astray(root: Path, stage: Mapping[str, Any]) -> Iterator[InputError]:
    """Yield each output of a stage of dvc.lock that is not here, or not the one named there.

    A model before the small files beside it: it is what a person misses.
    """
    for out in sorted(stage["outs"], key=lambda out: not str(out["path"]).endswith(".keras")):
        path, found = root / out["path"], "is not here"
        if path.exists():
            if path.is_dir() or md5(path) == out["md5"]:
                continue
            found = "is not the one that dvc.lock names"
        yield InputError(
            out["path"], expected="the one that dvc.lock names", found=found,
            fix="`dvc pull` or `make repro`",
        )  # fmt: skip


def params(stages: Stages, names: Iterable[str]) -> dict[str, Any]:
    """Return the sections of params.yaml with which the stages of `names` that are there ran.

    Raises InputError if one of them used what another one has made anew since.
    """
    ran = {name: stages[name] for name in names if name in stages}
    made = {out["path"]: out["md5"] for stage in ran.values() for out in stage["outs"]}
    for name, stage in ran.items():
        for used in stage["deps"]:
            if made.get(used["path"], used["md5"]) != used["md5"]:
                raise InputError(
                    f"dvc.lock: {name}", expected=f"made from the present {used['path']}",
                    found="was made from another one", fix="`make repro`",
                )  # fmt: skip
    read = {k: v for stage in ran.values() for k, v in stage["params"]["params.yaml"].items()}
    return nested(read)


def nested(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as in params.yaml from those under keys as `a.b`, as stages name them."""
    found: dict[str, Any] = {}
    for key, value in read.items():
        *parents, last = key.split(".")
        section = found
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = section[last] | value if isinstance(section.get(last), dict) else value
    return found


def edited(lock: Path, now: Mapping[str, Any]) -> list[str]:
    """Return the parameters that dvc.lock and params.yaml, whose sections are `now`, differ in."""
    edits, said = dict(flat(now)), []
    for name, stage in stages(lock).items():
        if name.partition("@")[2] not in ("", *now["nets"]):
            continue  # of a net that an earlier params.yaml named
        for key, value in flat(stage.get("params", {}).get("params.yaml", {})):
            if edits.get(key) != value:
                said.append(f"{key} is {edits.get(key)} in params.yaml, {value} in dvc.lock")
    return list(dict.fromkeys(said))


def md5(path: Path) -> str:
    """Return the MD5 by which DVC knows a file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "md5").hexdigest()
