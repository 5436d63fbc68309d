"""Whether two runs of the pipeline gave the same bytes, and where they first differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from convlens.files import read_json
from convlens.lock import md5, outputs
from convlens.paths import LOCK, METRICS, evaluation

# Their outputs are the same on every machine; what comes after depends on the CPU's arithmetic.
DATA_STAGES = ("fetch", "fetch_weights", "prepare")
BANDED = ("accuracy", "log_loss")


@dataclass(frozen=True)
class Difference:
    """The first place where an output differs: stage, file, and index and values if known."""

    stage: str
    file: str
    where: str


def differences(one: Path, two: Path) -> Iterator[Difference]:
    """Compare the outputs of two repositories that ran the pipeline, stage by stage."""
    first, second = outputs(one / LOCK), outputs(two / LOCK)
    for stage in [*first, *(name for name in second if name not in first)]:
        ours, theirs = first.get(stage, {}), second.get(stage, {})
        for path in sorted(ours.keys() | theirs.keys()):
            if ours.get(path) != theirs.get(path):
                yield Difference(stage, *_locate(one, two, path))


def against_lock(run: Path, committed: Path) -> Iterator[Difference]:
    """Compare the data stages of a run with a committed dvc.lock, which holds digests only."""
    found, expected = outputs(run / LOCK), outputs(committed)
    for stage in expected:
        of_data = stage.partition("@")[0] in DATA_STAGES
        for path, digest in expected[stage].items() if of_data else ():
            if found.get(stage, {}).get(path) != digest:
                yield Difference(stage, path, f"digest is not the committed {digest[:12]}…")


def outside_band(run: Path, band: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare a run's test metrics with the band [low, high] that was measured over seeds."""
    for model in band:
        file = (evaluation(model) / METRICS).as_posix()
        metrics = read_json(run / file)
        for key in BANDED:
            low, high = band[model][key]
            if not low <= metrics[key] <= high:
                where = f"{key} is {metrics[key]:g}, the band is {low:g} to {high:g}"
                yield Difference(f"evaluate@{model}", file, where)


def damaged(lock: Path, cache: Path) -> Iterator[Path]:
    """Return what DVC's cache holds for `lock` under a digest that is not its own.

    DVC trusts a cached file by its name, so a damaged one would come back at every checkout.
    """
    digests = {digest for stage in outputs(lock).values() for digest in stage.values()}
    for digest in sorted(digests):
        path = _cached(cache, digest)
        if not path.exists():
            continue
        if md5(path) != digest.removesuffix(".dir"):
            yield path
        elif digest.endswith(".dir"):
            members = sorted({member["md5"] for member in read_json(path)} - digests)
            for member in (_cached(cache, name) for name in members):
                if member.exists() and md5(member) != member.parent.name + member.name:
                    yield member


def _cached(cache: Path, digest: str) -> Path:
    return cache / "files" / "md5" / digest[:2] / digest[2:]


def _locate(one: Path, two: Path, path: str) -> tuple[str, str]:
    """Return the first differing file at or below `path` and the place in it."""
    names = sorted({file.relative_to(root) for root in (one, two) for file in _files(root / path)})
    for name in names:
        ours, theirs = one / name, two / name
        if not (ours.is_file() and theirs.is_file()):
            return name.as_posix(), "is there only once"
        if ours.read_bytes() != theirs.read_bytes():
            return name.as_posix(), _first_difference(ours, theirs)
    return path, "digests differ, but the files that stand there now are equal"


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.exists():
        yield path


def _first_difference(one: Path, two: Path) -> str:
    if one.suffix == ".npy":
        return _first_in_arrays(one, two)
    if one.suffix in {".csv", ".json", ".html"}:
        lines = zip_longest(*(p.read_text().splitlines(keepends=True) for p in (one, two)))
        number, (a, b) = next((n, pair) for n, pair in enumerate(lines, 1) if pair[0] != pair[1])
        return f"line {number}: {_short(a)} and {_short(b)}"
    pairs = zip_longest(one.read_bytes(), two.read_bytes())
    return f"byte {next(n for n, (a, b) in enumerate(pairs) if a != b)}"


def _first_in_arrays(one: Path, two: Path) -> str:
    import numpy as np

    a, b = np.load(one, mmap_mode="r"), np.load(two, mmap_mode="r")
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
    for row, (x, y) in enumerate(zip(a, b, strict=True)):
        unequal = np.argwhere(x != y)
        if len(unequal):
            index = (row, *unequal[0].tolist())
            return f"index {index}: {a[index]} and {b[index]}"
    return "headers or NaNs differ"


def _short(line: str | None) -> str:
    return "nothing" if line is None else repr(line if len(line) < 80 else line[:77] + "…")
