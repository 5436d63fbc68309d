"""Where each entry of an archive ends: manifest, quarantine, duplicates or ignored. Pure logic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convlens.data import SPLITS, duplicates
from convlens.data.layout import Place
from convlens.data.scan import Scan
from convlens.data.split import STRENGTH, SplitRule
from convlens.errors import InputError

UNUSED = "beyond the asked split"
CONFLICT = "conflicting labels"


@dataclass(frozen=True)
class Kept:
    """A photo that goes into the arrays."""

    scan: Scan
    label: str
    split: str
    group: str


@dataclass(frozen=True)
class Dropped:
    """A copy that stays out: `kept` is the path of the photo that stays in for it."""

    path: str
    label: str
    split: str
    sha256: str
    kept: str
    group: str
    reason: str


@dataclass
class Curation:
    """Every photo in exactly one of four places; `unused` photos count as ignored."""

    manifest: list[Kept] = field(default_factory=list)
    quarantine: list[Scan] = field(default_factory=list)
    duplicates: list[Dropped] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def curate(scans: Sequence[Scan], places: Mapping[str, Place], rule: SplitRule) -> Curation:
    """Sort the scanned photos into the four places.

    Photos whose group has both labels are quarantined. Of equal files one stays. A group that
    would span several splits stays in the strongest one only (test, then validation, then train).

    Raises
    ------
    InputError
        A class of a split ends with fewer photos than asked.
    """
    result = Curation(quarantine=[scan for scan in scans if scan.reason])
    good = [scan for scan in scans if not scan.reason]
    groups: dict[str, list[Scan]] = {}
    for scan, group in zip(good, duplicates.groups(good), strict=True):
        groups.setdefault(group, []).append(scan)
    chosen: list[Kept] = []
    for group, members in sorted(groups.items()):
        if len({places[scan.path].label for scan in members}) > 1:
            result.quarantine.extend(conflicting(scan) for scan in members)
        else:
            chosen += _resolve(group, members, places, rule, result)
    stay = rule.cap({kept.scan.sha256: (kept.split, kept.label) for kept in chosen})
    result.manifest = [kept for kept in chosen if kept.scan.sha256 in stay]
    result.unused += [kept.scan.path for kept in chosen if kept.scan.sha256 not in stay]
    result.manifest.sort(key=lambda kept: (SPLITS.index(kept.split), kept.scan.path))
    result.quarantine.sort(key=lambda scan: scan.path)
    result.duplicates.sort(key=lambda dropped: dropped.path)
    rule.check(
        Counter((kept.split, kept.label) for kept in result.manifest),
        Counter((place.split or "", place.label) for place in places.values()),
    )
    return result


def conflicting(scan: Scan) -> Scan:
    """Return the scan of a photo that was found under both labels."""
    return Scan(scan.path, scan.sha256, CONFLICT)


def _resolve(
    group: str,
    members: list[Scan],
    places: Mapping[str, Place],
    rule: SplitRule,
    result: Curation,
) -> list[Kept]:
    """Choose which photos of a group stay, and note the others in `result`."""
    homes: list[tuple[int, str, Scan]] = []
    for scan in members:
        home = rule.home(scan.sha256, places[scan.path].split)
        if home is None:
            result.unused.append(scan.path)
        else:
            homes.append((STRENGTH.index(home), scan.path, scan))
    homes.sort(key=lambda entry: entry[:2])
    kept: dict[str, Kept] = {}
    for strength, path, scan in homes:
        label, split = places[path].label, STRENGTH[strength]
        same = kept.get(scan.sha256)
        first = next(iter(kept.values()), None)
        if same is None and (first is None or first.split == split):
            kept[scan.sha256] = Kept(scan, label, split, group)
            continue
        stays, reason = (
            (same, "byte-for-byte copy")
            if same
            else (first, f"saved again in {first.split if first else ''}")
        )
        assert stays is not None
        result.duplicates.append(
            Dropped(path, label, split, scan.sha256, stays.scan.path, group, reason)
        )
    return list(kept.values())


def refuse_too_many_bad(quarantine: Sequence[Scan], photos: int, limit: float, path: Path) -> None:
    """Raise InputError if more than the share `limit` of the photos is quarantined."""
    if len(quarantine) <= limit * photos:
        return
    reasons = Counter(str(scan.reason) for scan in quarantine).most_common()
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons)
    names = ", ".join(scan.path for scan in quarantine[:3])
    raise InputError(
        path,
        expected=f"at most {limit:.1%} unusable photos (data.max_bad_fraction)",
        found=f"{len(quarantine)} of {photos}: {listed}; first: {names}",
        fix="look at them with `convlens inspect`, mend the archive or raise the limit",
    )
