"""Who made a result, when, from which code, on which machine: noted once, beside the result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from convlens import runtime as rt
from convlens.errors import InputError, masked
from convlens.files import read_json, sha256, write_json, write_text
from convlens.git import commit, uncommitted
from convlens.paths import DATA, LOCAL
from convlens.workers import cores


def home(root: Path) -> Path:
    """Return the repository that owns `root`: DVC's queue runs experiments in other folders."""
    return Path(os.environ.get("DVC_ROOT") or root).resolve()


def digest(about: Path, params: Mapping[str, Any]) -> str:
    """Return what a note is about: the bytes of a result's metrics, and what it was made with."""
    known = json.dumps(params, sort_keys=True).encode()
    return hashlib.sha256(about.read_bytes() + known).hexdigest()


def write(root: Path, path: Path, of: str, stage: str, params: Mapping[str, Any]) -> None:
    """Note at `path` that `stage` made the result `of`, see `digest`, here and now.

    The note is in git, so it travels with the result, and no output of DVC, so that equal runs
    stay equal. A copy stays under .convlens, with the uncommitted changes beside it: DVC's run
    cache, which knows no note, may bring the result back later.
    """
    code = root if commit(root) else home(root)  # a study's outputs lie elsewhere
    changes = uncommitted(code)
    note = {
        "of": of,
        "made": _after(path),
        "usage": _usage(root, stage),
        "tags": _tags(root, code, changes, params),
    }
    copy = _copy(root, of)
    if changes:
        write_text(diff(root, of), masked(changes))
    write_json(copy, note)
    write_json(path, note)


def read(root: Path, path: Path, of: str) -> dict[str, Any]:
    """Return the note on the result `of`, put back in its place if need be; empty if unknown."""
    copy = _copy(root, of)
    for place in (path, copy):
        if place.exists():
            note: dict[str, Any] = read_json(place)
            try:
                about = milliseconds(note["made"]) and note["of"]
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    place, expected="`of`, `made` and who made it, as a stage notes them",
                    found=f"damaged: {error}", fix="`git checkout` it",
                ) from error  # fmt: skip
            if about == of:
                if place == copy:
                    write_json(path, note)
                return note
    return {}


def diff(root: Path, of: str) -> Path:
    """Return where the uncommitted changes that made the result `of` are kept, if any were."""
    return _copy(root, of).with_suffix("") / "uncommitted.diff"


def data_digest(root: Path) -> str:
    """Return the digest of the prepared data's manifest; empty if there is none."""
    path = root / DATA
    return str(read_json(path)["digest"]) if path.exists() else ""


def milliseconds(moment: str) -> int:
    """Return a note's `made` as MLflow wants it: milliseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _copy(root: Path, of: str) -> Path:
    return home(root) / LOCAL / "provenance" / f"{of}.json"


def _usage(root: Path, stage: str) -> dict[str, float]:
    """Return seconds and peak memory of a stage, and of what it needed, as metrics of its run."""
    found = {}
    before = "fetch" if stage == "prepare" else stage.replace("train@", "extract_features@")
    for name in dict.fromkeys([before, stage]):
        path = root / ".convlens" / "usage" / f"{name}.json"
        for key, value in (read_json(path) if path.exists() else {}).items():
            found[f"{key}_{name.partition('@')[0]}"] = float(value)
    return found


def _after(path: Path) -> str:
    """Return the present moment, later than the note that is replaced: a clock may be set back."""
    now = datetime.now(UTC)
    try:
        before = datetime.fromisoformat(read_json(path)["made"])
        now = max(now, before + timedelta(milliseconds=1))
    except (OSError, InputError, KeyError, TypeError, ValueError):
        pass
    return now.isoformat(timespec="milliseconds")


def _tags(place: Path, root: Path, changes: str, params: Mapping[str, Any]) -> dict[str, str]:
    lock, head = root / "requirements.lock", commit(root)
    tags = {
        "dvc.exp": os.environ.get("DVC_EXP_NAME", ""),
        "data.digest": data_digest(place),
        "git.commit": head,
        "git.dirty": str(bool(changes)).lower() if head else "",
        "lock.hash": sha256(lock) if lock.exists() else "",
        "cpu": rt.cpu_name(),
        "isa": rt.isa(rt.cpu_flags()),
        "threads": str(params.get("runtime", {}).get("threads") or cores()),
    }
    versions = {f"version.{name}": value for name, value in rt.versions().items()}
    return {key: value for key, value in (tags | versions).items() if value}
