"""Where each entry of an archive ends: manifest, quarantine, duplicates or ignored. Pure logic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from convlens.data import SPLITS, duplicates
from convlens.data.left_out import Place
from convlens.data.scan import Scan
from convlens.data.split import STRENGTH, SplitRule, draw

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

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Photos in the manifest by (split, label)."""
        return Counter((kept.split, kept.label) for kept in self.manifest)


@dataclass(frozen=True)
class _Candidate:
    scan: Scan
    label: str
    group: str
    split: str
    draw: float


def curate(scans: Sequence[Scan], places: Mapping[str, Place], rule: SplitRule) -> Curation:
    """Sort the scanned photos into the four places.

    Photos whose group has both labels are quarantined. Of equal files one stays. A group that
    would span several splits stays in the strongest one only (test, then validation, then train).
    """
    result = Curation(quarantine=[scan for scan in scans if scan.reason])
    candidates = _candidates(scans, places, rule, result)
    used: dict[str, dict[str, Kept]] = {}  # group → sha256 → the photo that stays
    counts: Counter[tuple[str, str]] = Counter()
    for candidate in candidates:
        copies = used.setdefault(candidate.group, {})
        same = copies.get(candidate.scan.sha256)
        first = next(iter(copies.values()), None)
        if same is not None:
            result.duplicates.append(_drop(candidate, same, "byte-for-byte copy"))
        elif first is not None and first.split != candidate.split:
            result.duplicates.append(_drop(candidate, first, f"looks like one in {first.split}"))
        elif counts[candidate.split, candidate.label] >= rule.limit(candidate.split):
            result.unused.append(candidate.scan.path)
        else:
            kept = Kept(candidate.scan, candidate.label, candidate.split, candidate.group)
            copies[kept.scan.sha256] = kept
            counts[kept.split, kept.label] += 1
            result.manifest.append(kept)
    result.manifest.sort(key=lambda kept: (SPLITS.index(kept.split), kept.scan.path))
    result.quarantine.sort(key=lambda scan: scan.path)
    result.duplicates.sort(key=lambda dropped: dropped.path)
    return result


def _candidates(
    scans: Sequence[Scan], places: Mapping[str, Place], rule: SplitRule, result: Curation
) -> list[_Candidate]:
    """Return what may enter a split, strongest split first and lowest draw first in it."""
    good = [scan for scan in scans if not scan.reason]
    groups = duplicates.groups(good)
    labels: dict[str, set[str]] = {}
    for scan, group in zip(good, groups, strict=True):
        labels.setdefault(group, set()).add(places[scan.path].label)
    candidates = []
    for scan, group in zip(good, groups, strict=True):
        place = places[scan.path]
        split = rule.home(scan.sha256, place.split)
        if len(labels[group]) > 1:
            result.quarantine.append(Scan(scan.path, scan.sha256, CONFLICT))
        elif split is None:
            result.unused.append(scan.path)
        else:
            number = draw(scan.sha256, rule.seed)
            candidates.append(_Candidate(scan, place.label, group, split, number))
    candidates.sort(key=lambda one: (STRENGTH.index(one.split), one.draw, one.scan.path))
    return candidates


def _drop(candidate: _Candidate, kept: Kept, reason: str) -> Dropped:
    scan = candidate.scan
    return Dropped(
        scan.path, candidate.label, candidate.split, scan.sha256, kept.scan.path, kept.group, reason
    )
