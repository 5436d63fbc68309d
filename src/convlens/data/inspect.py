"""What an archive or a folder of photos holds, before anything is made of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convlens import files
from convlens.data import duplicates, pack
from convlens.data.archive import open_archive, read
from convlens.data.curate import CONFLICT
from convlens.data.layout import Arrangement, arrange
from convlens.data.names import is_photo, printable, suffix, tally
from convlens.data.scan import Scan, scan
from convlens.data.whats_there import number
from convlens.progress import Progress, silent
from convlens.workers import cores

SIZE = 150  # pixels a side at which photos are compared
NO_SPLIT = "(no split)"
LISTED = 10
MANY = 6  # classes that stand side by side at most
DARK = 24  # grey levels, of 255: a photo without a brighter part is almost black


@dataclass(frozen=True)
class Inspection:
    """The findings; every entry is usable, in quarantine, or ignored.

    `counts` are the usable photos by split and class, `alike` groups of paths that show the same
    photo, `width` and `height` the least, median and largest of the usable photos, in pixels.
    `warnings` are sentences on what was left out, `other_files` the ignored files that are not
    named like photos, by suffix, and `dark` the usable photos that are almost black.
    """

    path: str
    sha256: str
    layout: str
    entries: int
    warnings: list[str]
    counts: dict[str, dict[str, int]]
    formats: dict[str, int]
    modes: dict[str, int]
    width: tuple[int, int, int]
    height: tuple[int, int, int]
    quarantine: list[dict[str, str]]
    alike: list[list[str]]
    dark: list[str]
    ignored: dict[str, int]
    other_files: dict[str, int]


def inspect(path: Path, *, progress: Progress = silent, workers: int | None = None) -> Inspection:
    """Decode every photo of an archive or folder as `prepare` would, and write nothing.

    Raises
    ------
    InputError
        As convlens.data.ingest.prepare does, but for bad or few photos: these are reported.
    """
    if not pack.is_packed(path):
        return _inspect(path, path, {}, progress, workers or cores())
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "source.zip"
        faults = pack.pack(path, packed, progress)
        found = _inspect(packed, path, faults, progress, workers or cores())
        return found if path.is_dir() else replace(found, sha256=files.sha256(path))


def _inspect(
    archive: Path, shown: Path, faults: dict[str, str], progress: Progress, workers: int
) -> Inspection:
    with open_archive(archive, shown) as opened:
        entries = opened.namelist()
        arrangement = arrange(entries, shown, read=lambda name: read(opened, name))
    places = arrangement.photos
    scans = scan(archive, list(places), None, SIZE, workers=workers, progress=progress)
    good = [found for found in scans if not found.reason]
    groups: dict[str, list[str]] = {}
    for found, group in zip(good, duplicates.groups(good), strict=True):
        groups.setdefault(group, []).append(found.path)
    alike = [paths for paths in groups.values() if len(paths) > 1]
    conflicting = {p for paths in alike if len({places[q].label for q in paths}) > 1 for p in paths}
    usable = [found for found in good if found.path not in conflicting]
    bad = {
        found.path: faults.get(found.path) or found.reason or CONFLICT
        for found in scans
        if found.reason or found.path in conflicting
    }
    dark = [found.path for found in usable if max(found.thumb) < DARK]
    return Inspection(
        path=printable(shown),
        sha256=files.sha256(archive),
        layout=arrangement.layout,
        entries=len(entries),
        warnings=_warnings(arrangement, faults, bad, dark),
        counts=_counts(usable, arrangement),
        formats=tally(found.format for found in usable),
        modes=tally(found.mode for found in usable),
        width=_spread([found.width for found in usable]),
        height=_spread([found.height for found in usable]),
        quarantine=[{"path": name, "reason": reason} for name, reason in sorted(bad.items())],
        alike=sorted(alike),
        dark=dark,
        ignored=tally(arrangement.ignored.values()),
        other_files=tally(
            suffix(name) or "without suffix"
            for name, why in arrangement.ignored.items()
            if why == "not named like a photo"
        ),
    )


def _counts(usable: Sequence[Scan], arrangement: Arrangement) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for found in usable:
        place = arrangement.photos[found.path]
        of_split = counts.setdefault(place.split or NO_SPLIT, dict.fromkeys(arrangement.classes, 0))
        of_split[place.label] += 1
    return counts


def _warnings(
    arrangement: Arrangement, faults: dict[str, str], bad: dict[str, str], dark: Sequence[str]
) -> list[str]:
    found = list(arrangement.warnings)
    unread = [name for name in faults if name.endswith("/")]
    if unread:
        found.append(
            f"{number(len(unread), 'folder')} can't be read: {unread[0]} ({faults[unread[0]]})"
        )
    others = [name for name in faults if name not in bad and is_photo(name)]
    if others:
        found.append(
            f"{number(len(others), 'photo')} outside the layout can't be read: {others[0]}"
        )
    if len(bad) > len(arrangement.photos) - len(bad):
        reason, count = max(tally(bad.values()).items(), key=lambda item: item[1])
        found.append(f"most photos are unusable; {count:,} of {len(bad):,}: {reason}")
    if dark:
        found.append(
            f"{number(len(dark), 'photo')} almost black, e.g. {dark[0]}: perhaps 8 bits were "
            "written into 16"
        )
    return found


def _counted(counts: dict[str, dict[str, int]]) -> list[str]:
    """Return a line a split, or a line a class where there are many."""
    classes = list(next(iter(counts.values()), {}))
    rows: list[list[str]] = [["split", *classes]]
    rows += [[split, *(f"{of[c]:,}" for c in classes)] for split, of in counts.items()]
    if len(classes) > MANY:
        rows = [list(column) for column in zip(*rows, strict=True)]
        rows[0][0] = "class"
    first = max([12, *(len(row[0]) + 2 for row in rows)])
    wide = max([9, *(len(cell) + 2 for row in rows for cell in row[1:])])
    return [f"{row[0]:<{first}}" + "".join(f"{c:>{wide}}" for c in row[1:]) for row in rows]


def _spread(values: Sequence[int]) -> tuple[int, int, int]:
    ordered = sorted(values) or [0]
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def table(found: Inspection) -> str:
    """Return the findings as text for a terminal: what was found and what is wrong come first."""
    lines = [
        f"{found.path}",
        f"found:    {_found(found)}",
        *(f"warning:  {warning}" for warning in found.warnings),
        "",
        *_counted(found.counts),
    ]
    others = f" ({_joined(found.other_files)})" if found.other_files else ""
    lines += [
        "",
        f"layout    {found.layout}",
        f"entries   {found.entries:,}",
        f"sha256    {found.sha256}",
        f"formats   {_joined(found.formats)}",
        f"modes     {_joined(found.modes)}",
        f"width     {found.width[0]} to {found.width[2]}, median {found.width[1]} pixels",
        f"height    {found.height[0]} to {found.height[2]}, median {found.height[1]} pixels",
        f"ignored   {_joined(found.ignored)}{others}",
    ]
    bad = [f"{row['path']}: {row['reason']}" for row in found.quarantine]
    lines += _listed("quarantine", bad)
    lines += _listed("alike", [" = ".join(group) for group in found.alike])
    return "\n".join(lines)


def _found(found: Inspection) -> str:
    usable = sum(sum(counts.values()) for counts in found.counts.values())
    ignored = sum(found.ignored.values())
    return (
        f"{number(usable, 'usable photo')}, {len(found.quarantine):,} in quarantine, "
        f"{ignored:,} other {'entry' if ignored == 1 else 'entries'} ignored"
    )


def _joined(numbers: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items()) or "none"


def _listed(name: str, items: Sequence[str]) -> list[str]:
    more = [f"  … and {len(items) - LISTED:,} more (--json lists all)"] * (len(items) > LISTED)
    return ["", f"{name}: {len(items):,}", *(f"  {item}" for item in items[:LISTED]), *more]
