"""What an archive or a folder of photos holds, before anything is made of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convlens import files
from convlens.data import CLASSES, duplicates, sources
from convlens.data.archive import open_archive
from convlens.data.curate import CONFLICT
from convlens.data.layout import arrange
from convlens.data.scan import scan
from convlens.progress import Progress, silent
from convlens.workers import cores

SIZE = 150  # pixels a side at which photos are compared
NO_SPLIT = "(no split)"
LISTED = 10


@dataclass(frozen=True)
class Inspection:
    """The findings; every entry is usable, in quarantine, or ignored.

    `counts` are the usable photos by split and class, `alike` groups of paths that show the same
    photo, `width` and `height` the least, median and largest of the usable photos, in pixels.
    """

    path: str
    sha256: str
    layout: str
    entries: int
    counts: dict[str, dict[str, int]]
    formats: dict[str, int]
    modes: dict[str, int]
    width: tuple[int, int, int]
    height: tuple[int, int, int]
    quarantine: list[dict[str, str]]
    alike: list[list[str]]
    ignored: dict[str, int]


def inspect(path: Path, *, progress: Progress = silent, workers: int | None = None) -> Inspection:
    """Decode every photo of a zip or folder as `prepare` would, and write nothing.

    Raises
    ------
    InputError
        As convlens.data.ingest.prepare does, but for bad or few photos: these are reported.
    """
    if not path.is_dir():
        return _inspect(path, path, progress, workers or cores())
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "source.zip"
        sources.pack(path, packed, progress)
        return _inspect(packed, path, progress, workers or cores())


def _inspect(archive: Path, shown: Path, progress: Progress, workers: int) -> Inspection:
    with open_archive(archive) as opened:
        entries = opened.namelist()
    arrangement = arrange(entries, shown)
    places = arrangement.photos
    scans = scan(archive, list(places), None, SIZE, workers=workers, progress=progress)
    good = [found for found in scans if not found.reason]
    groups: dict[str, list[str]] = {}
    for found, group in zip(good, duplicates.groups(good), strict=True):
        groups.setdefault(group, []).append(found.path)
    alike = [paths for paths in groups.values() if len(paths) > 1]
    conflicting = {p for paths in alike if len({places[q].label for q in paths}) > 1 for p in paths}
    usable = [found for found in good if found.path not in conflicting]
    bad = {found.path: found.reason or CONFLICT for found in scans}
    counts: dict[str, dict[str, int]] = {}
    for found in usable:
        place = places[found.path]
        of_split = counts.setdefault(place.split or NO_SPLIT, dict.fromkeys(CLASSES, 0))
        of_split[place.label] += 1
        del bad[found.path]
    return Inspection(
        path=str(shown),
        sha256=files.sha256(archive),
        layout=arrangement.layout,
        entries=len(entries),
        counts=counts,
        formats=_tally(found.format for found in usable),
        modes=_tally(found.mode for found in usable),
        width=_spread([found.width for found in usable]),
        height=_spread([found.height for found in usable]),
        quarantine=[{"path": name, "reason": reason} for name, reason in sorted(bad.items())],
        alike=sorted(alike),
        ignored=_tally(arrangement.ignored.values()),
    )


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _spread(values: Sequence[int]) -> tuple[int, int, int]:
    ordered = sorted(values) or [0]
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def table(found: Inspection) -> str:
    """Return the findings as text for a terminal."""
    lines = [
        f"{found.path}",
        f"sha256    {found.sha256}",
        f"layout    {found.layout}",
        f"entries   {found.entries:,}",
        "",
        f"{'split':<12}" + "".join(f"{label:>9}" for label in CLASSES),
    ]
    for split, counts in found.counts.items():
        lines.append(f"{split:<12}" + "".join(f"{counts[label]:>9,}" for label in CLASSES))
    lines += [
        "",
        f"formats   {_joined(found.formats)}",
        f"modes     {_joined(found.modes)}",
        f"width     {found.width[0]} to {found.width[2]}, median {found.width[1]} pixels",
        f"height    {found.height[0]} to {found.height[2]}, median {found.height[1]} pixels",
        f"ignored   {_joined(found.ignored)}",
    ]
    bad = [f"{row['path']}: {row['reason']}" for row in found.quarantine]
    lines += _listed("quarantine", bad)
    lines += _listed("alike", [" = ".join(group) for group in found.alike])
    return "\n".join(lines)


def _joined(numbers: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items()) or "none"


def _listed(name: str, items: Sequence[str]) -> list[str]:
    more = [f"  … and {len(items) - LISTED:,} more (--json lists all)"] * (len(items) > LISTED)
    return ["", f"{name}: {len(items):,}", *(f"  {item}" for item in items[:LISTED]), *more]
