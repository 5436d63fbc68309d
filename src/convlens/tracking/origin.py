"""Where a result came from: code, parameters, machine. Noted once, when it is first described."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from convlens import runtime as rt
from convlens.errors import masked
from convlens.files import read_json, sha256, write_json, write_text
from convlens.params import Params
from convlens.workers import cores

_PRODUCED = ("dvc.lock", "models", "reports")  # they change while the pipeline runs
_DIFF_LIMIT = 1_000_000


def home(root: Path) -> Path:
    """Return the repository that owns `root`: DVC's queue runs experiments in other folders."""
    return Path(os.environ.get("DVC_ROOT") or root).resolve()


def origin(root: Path, place: Path, digest: str, params: Params, ended: int) -> dict[str, Any]:
    """Return the note on `digest`, making it on the first call from the present state.

    Later calls return the same note, whatever was committed or edited since: `convlens sync`
    next week still names the commit and parameters that made the files.

    Returns
    -------
    dict
        `ended`: when it was made, milliseconds since 1970; `params`: nested sections; `tags`:
        flat strings; `data`: digest of the data at that time. The uncommitted changes stand
        beside the note as `<digest>.diff`.
    """
    note = place / ".convlens" / "origins" / f"{digest}.json"
    if note.exists():
        known: dict[str, Any] = read_json(note)
        return known
    code = root if git(root, "rev-parse", "HEAD") else place  # a study's outputs lie elsewhere
    made = {
        "ended": ended,
        "params": params.model_dump(mode="json"),
        "data": data_digest(root),
        "tags": _tags(code, params),
    }
    diff = uncommitted(code)
    if diff:
        write_text(note.with_suffix(".diff"), masked(diff))
    write_json(note, made)
    return made


def data_digest(root: Path) -> str:
    """Return the digest of the prepared data's manifest; empty if there is none."""
    path = root / "data" / "prepared" / "data.json"
    return str(read_json(path)["digest"]) if path.exists() else ""


def _tags(root: Path, params: Params) -> dict[str, str]:
    lock, commit = root / "requirements.lock", git(root, "rev-parse", "HEAD").strip()
    tags = {
        "dvc.exp": os.environ.get("DVC_EXP_NAME", ""),
        "git.commit": commit,
        "git.dirty": str(bool(uncommitted(root))).lower() if commit else "",
        "lock.hash": sha256(lock) if lock.exists() else "",
        "cpu": rt.cpu_name(),
        "isa": rt.isa(rt.cpu_flags()),
        "threads": str(params.runtime.threads or cores()),
    }
    versions = {f"version.{name}": value for name, value in rt.versions().items()}
    return {key: value for key, value in (tags | versions).items() if value}


def uncommitted(root: Path) -> str:
    """Return the changes since the last commit, outputs aside, and the names of new files."""
    sources = [".", *(f":(exclude){name}" for name in _PRODUCED)]
    diff = git(root, "diff", "HEAD", "--", *sources)
    new = git(root, "ls-files", "--others", "--exclude-standard", "--", *sources).splitlines()
    return diff[:_DIFF_LIMIT] + "".join(f"# new file: {name}\n" for name in new)


def git(root: Path, *words: str) -> str:
    """Return what git prints; empty where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def process_mark() -> str:
    """Return host, boot, pid and start time of this process: unique even after pid reuse."""
    return f"{_host()}/{os.getpid()}/{_started(os.getpid())}"


def process_is_gone(mark: str) -> bool:
    """Tell whether the process of a `process_mark` of this machine is dead; False for others."""
    host, pid, started = mark.rsplit("/", 2)
    same_machine = host.split("/")[0] == _host().split("/")[0]
    return same_machine and (host != _host() or _started(int(pid)) != started)


def _host() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    name = hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:12]
    return f"{name}/{boot.read_text().strip() if boot.exists() else ''}"


def _started(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
