"""What this machine and this clone can promise, and what would break a run or an experiment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import convlens
from convlens import lock
from convlens import runtime as rt
from convlens.errors import InputError, masked
from convlens.git import commit, git, uncommitted
from convlens.params import NO_ARCHIVE, Params
from convlens.parts import parts
from convlens.paths import LOCK
from convlens.provenance import home
from convlens.reproduce import damaged
from convlens.tracking import TrackingUnavailable
from convlens.tracking.store import available, moved_from, store_uri

FREE_GIGABYTES = 3.0
GPU = Path("/dev/nvidia0")
TIERS = {
    1: "byte-identical results on this machine; data byte-identical to the committed dvc.lock",
    2: "data byte-identical to the committed dvc.lock; metrics inside the committed band",
    3: "only a record of what was done",
}


@dataclass(frozen=True)
class Finding:
    """Something to know: a `problem` breaks runs, a `warning` weakens what they promise."""

    level: Literal["problem", "warning"]
    where: str
    found: str
    fix: str


@dataclass(frozen=True)
class Examination:
    """Everything `convlens doctor` says; `tier` is the key into TIERS."""

    record: dict[str, Any]
    findings: list[Finding]
    tier: int


def examine(root: Path, params: Params) -> Examination:
    """Examine the clone at `root` without changing it, without TensorFlow, in seconds."""
    versions = list(_versions(root))
    code = list(_code(root))
    findings = [
        *versions,
        *code,
        *_files(root),
        *_moved(root),
        *_paths(params),
        *_locks(root),
        *_cache(root),
        *_environment(root),
    ]
    tier = 3 if versions or code else 2 if GPU.exists() else 1
    return Examination(_record(root, params), findings, tier)


def text(examination: Examination) -> str:
    """Return the examination as lines for a terminal."""
    width = max(map(len, examination.record))
    lines = [f"{key:<{width}}  {value}" for key, value in examination.record.items()]
    lines += ["", f"tier {examination.tier} of 3: {TIERS[examination.tier]}"]
    for finding in examination.findings:
        lines += ["", f"{finding.level}: {finding.where}", f"  found:  {finding.found}"]
        lines += [f"  to do:  {finding.fix}"]
    return "\n".join(lines if examination.findings else [*lines, "no problems found"])


def _record(root: Path, params: Params) -> dict[str, Any]:
    try:
        machine: dict[str, Any] = rt.describe(params.runtime).record()
    except InputError as error:
        machine = {"precision": error.found} | rt.versions()
    return {"commit": commit(root) or "none"} | machine


def _versions(root: Path) -> Iterator[Finding]:
    path = root / "requirements.lock"
    if not path.exists():
        yield Finding("problem", str(path), "no such file", "restore it with git")
        return
    wrong = []
    for name, wanted in re.findall(r"^([\w.-]+)==([^\s;\\]+)(?=[^;\n]*$)", path.read_text(), re.M):
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            wrong.append(f"{name} {found} (lock: {wanted})")
    if wrong:
        yield Finding("warning", "installed versions", ", ".join(wrong), "run `make setup`")


def _code(root: Path) -> Iterator[Finding]:
    if not commit(root):
        fix = "commit once: runs record the commit, `dvc exp run` needs one"
        yield Finding("problem", "git", "no repository or no commit", fix)
        return
    changes = uncommitted(root)
    new = [line.split(": ", 1)[1] for line in changes.splitlines() if line.startswith("# new file")]
    if new:
        found = f"files that git doesn't know: {', '.join(new)}"
        fix = "`git add` them: experiments in the queue run without them"
        yield Finding("warning", "git", found, fix)
    changed = re.findall(r"^diff --git a/(\S+)", changes, re.M)
    if changed:
        fix = "commit them; until then runs keep them as uncommitted.diff"
        yield Finding("warning", "git", f"uncommitted changes: {', '.join(changed)}", fix)


def _files(root: Path) -> Iterator[Finding]:
    """Find files that are not what dvc.lock or git says, though nobody changed them."""
    windows = re.findall(r"^\S+\s+w/(?:crlf|mixed)\s.*\t(.*)", git(root, "ls-files", "--eol"), re.M)
    if windows:
        yield Finding(
            "problem", "git", f"{len(windows)} files whose lines end in CR LF, e.g. {windows[0]}",
            "`git config core.autocrlf false && git rm -rq --cached . && git reset --hard`: "
            "until then every stage is stale",
        )  # fmt: skip
    texts = ("*.json", "*.csv", "*.yaml", "*.lock")
    for path in git(root, "grep", "-lE", "^(<{7}|>{7}) ", "--", *texts).splitlines():
        fix = "choose a version, `git add` it"
        yield Finding("problem", path, "git's marks of a conflict", fix)
    try:
        stages = lock.stages(root / LOCK)
    except InputError:
        return  # `_cache` says so
    nets = {name.partition("@")[2] for name in stages if name.startswith("train@")}
    for part in (part for net in sorted(nets) for part in parts(net)):
        if part.stage in stages and (root / part.about).exists():
            for error in lock.astray(root, stages[part.stage]):
                yield Finding("warning", error.where, f"{error.found}: not tracked", error.fix)
                break


def _moved(root: Path) -> Iterator[Finding]:
    if old := moved_from(home(root)):
        yield Finding(
            "problem", "mlflow.db", f"it was made in {old}: this folder was moved or copied",
            "`convlens sync` puts its addresses right",
        )  # fmt: skip
    running, ours = Path(str(convlens.__file__)).parent, (root / "src/convlens").resolve()
    if ours.is_dir() and running != ours:
        yield Finding(
            "problem", "installation", f"the code that runs is {running}, not {ours}",
            "remove .venv here and `make setup`",
        )  # fmt: skip


def _paths(params: Params) -> Iterator[Finding]:
    named = {
        "data.archive": params.data.archive,
        "vgg16.weights": params.vgg16.weights,
        "imagenet.weights": params.imagenet.weights,
    }
    if params.data.archive is None:
        yield Finding(
            "problem", "params.yaml: data.archive", "null, which DVC can't watch",
            f"write {NO_ARCHIVE} where no archive is read",
        )  # fmt: skip
    for key, value in named.items():
        if value == NO_ARCHIVE:
            continue
        if value and not Path(value).is_absolute():
            yield Finding(
                "warning", f"params.yaml: {key}", f"the relative path {value}",
                "make it absolute: experiments in the queue run in another folder",
            )  # fmt: skip
        elif value and not Path(value).exists():
            yield Finding("problem", f"params.yaml: {key}", f"no file {value}", "mend the path")


def _locks(root: Path) -> Iterator[Finding]:
    try:
        held = (root / ".dvc" / "tmp" / "rwlock").read_text()
    except OSError:
        return
    # DVC clears locks of dead processes by itself.
    for pid in sorted(set(re.findall(r'"pid": (\d+)', held))):
        if Path("/proc", pid).exists():
            yield Finding(
                "warning", "DVC", f"process {pid} is running the pipeline here",
                "let it end; a second `dvc repro` would stop with a lock error",
            )  # fmt: skip


def _cache(root: Path) -> Iterator[Finding]:
    config = ConfigParser(strict=False)
    config.read([root / ".dvc" / "config", root / ".dvc" / "config.local"])
    cache = root / ".dvc" / config.get("cache", "dir", fallback="cache")
    yield from _cached_results(root / LOCK, cache)
    nearest = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    if not os.access(nearest, os.W_OK):
        yield Finding("problem", str(cache), "not writable", "`dvc cache dir` can move it")
    free = shutil.disk_usage(nearest).free / 1e9
    if free < FREE_GIGABYTES:
        yield Finding(
            "problem", str(cache), f"{free:.1f} GB free",
            f"make room for {FREE_GIGABYTES:g} GB, e.g. with `dvc gc --workspace`",
        )  # fmt: skip


def _cached_results(path: Path, cache: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("warning", "dvc.lock", "no such file", "run `make repro` and commit it")
        return
    try:
        for found in damaged(path, cache):
            yield Finding(
                "problem", str(found), "damaged: it isn't what its name promises",
                "remove it and the output that came from it, then `make repro`",
            )  # fmt: skip
    except InputError as error:
        yield Finding("problem", error.where, error.found, error.fix)


def _environment(root: Path) -> Iterator[Finding]:
    try:
        uri = store_uri(home(root))
        if re.match(r"sqlite:///(?!/)|(?!/|databricks|[\w+.-]+:)", uri):
            yield Finding(
                "problem", "MLFLOW_TRACKING_URI", f"the relative {masked(uri)}",
                "make it absolute: experiments in the queue run in another folder",
            )  # fmt: skip
        else:
            available(uri)
    except TrackingUnavailable as error:
        later = "stages still work; run `convlens sync` afterwards"
        yield Finding("warning", "tracking", str(error), later)
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield Finding(
            "warning", "PYTHONDONTWRITEBYTECODE", "set",
            "unset it: every stage compiles its libraries again, for seconds",
        )  # fmt: skip
