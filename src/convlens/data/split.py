"""Which split a photo belongs to: decided by the photo alone, so that it never moves.

The law. Each photo draws a number in [0, 1) from its own sha256 and the seed; the draw falls into
the part of test, validation or train (in this order) of the unit interval. No other photo has a
say, so adding photos moves none. Counts make parts in their ratio and then keep the lowest draws
of each class, so a photo may become unused when others are added, but it never changes its split.
Exactly stratified fractions would break the law, so fractions are stratified in expectation.

An archive's own splits stand. A missing test (or validation) split is carved out of validation
(or train) by the same draws.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping

from convlens.data import SPLITS
from convlens.errors import InputError
from convlens.params import SplitSizes

STRENGTH = ("test", "validation", "train")  # the order in which splits win


def draw(sha256: str, seed: int) -> float:
    """Return the photo's draw, uniform in [0, 1) over contents and seeds."""
    digest = hashlib.sha256(f"{seed}:{sha256}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


class SplitRule:
    """The rule for one archive.

    Parameters
    ----------
    sizes
        Fractions, or counts a class.
    seed
        Of the draws.
    own
        The splits that the archive brings; without train among them they count as none.
    """

    def __init__(self, sizes: SplitSizes, seed: int, own: Iterable[str]) -> None:
        self.own = set(own) if len(set(own)) > 1 and "train" in own else set[str]()
        self.seed = seed
        self.sizes: dict[str, float] = {name: getattr(sizes, name) for name in SPLITS}
        self.counted = isinstance(sizes.train, int)

    @property
    def text(self) -> str:
        """What the rule does, in a sentence for data.json."""
        draws = f"sha256 of 'seed:sha256 of the photo', seed {self.seed}"
        cut = "; counts keep the lowest draws of each class" if self.counted else ""
        if not self.own:
            return f"each photo by its own draw ({draws}){cut}"
        made = [name for name in SPLITS if name not in self.own]
        if not made:
            return f"the archive's own splits{cut or '; fractions do not apply'}"
        return f"the archive's own splits; {made[0]} carved out of {self._donor} by {draws}{cut}"

    @property
    def _donor(self) -> str:
        return "validation" if "validation" in self.own else "train"

    def home(self, sha256: str, own: str | None) -> str | None:
        """Return the split of a photo, or None where the fractions leave it unused."""
        if not self.own:
            parts: tuple[str, ...] = STRENGTH
            whole = sum(self.sizes.values()) if self.counted else 1.0
        elif own == self._donor:
            parts = tuple(n for n in STRENGTH if n == own or n not in self.own)
            whole = sum(self.sizes[name] for name in parts)
        else:
            return own
        position, reached = draw(sha256, self.seed) * whole, 0.0
        for name in parts:
            reached += self.sizes[name]
            if position < reached:
                return name
        return None

    def limit(self, split: str) -> float:
        """Return how many photos of each class `split` keeps: the count asked, or infinity."""
        return self.sizes[split] if self.counted else math.inf

    def check(
        self, got: Mapping[tuple[str, str], int], offered: Mapping[tuple[str, str], int]
    ) -> None:
        """Raise InputError where a class of a split has too few photos.

        `got` counts the photos left after quarantine and duplicates by (split, label), `offered`
        those before. An archive's own split satisfies a count by what it offers: a leak that
        was closed must not make a whole archive useless.
        """
        for split in SPLITS:
            asked = int(self.sizes[split]) if self.counted else 1
            for label in _labels(offered, got):
                key = (split, label)
                enough = offered if split in self.own and split != self._made_from else got
                if enough.get(key, 0) < asked or got.get(key, 0) < 1:
                    self._refuse(split, label, asked, got)

    @property
    def _made_from(self) -> str | None:
        return self._donor if self.own and len(self.own) < len(SPLITS) else None

    def _refuse(
        self, split: str, label: str, asked: int, got: Mapping[tuple[str, str], int]
    ) -> None:
        there = got.get((split, label), 0)
        labels = _labels(got)
        others = sum(got.get((split, c), 0) < asked for c in labels) - 1
        also = f"; {others:,} more of {len(labels):,} classes have too few" if others > 0 else ""
        most = {s: min(got.get((s, c), 0) for c in labels) for s in SPLITS}
        ratio = f"with this ratio {_counted(most)} would fit"
        have = {s: got.get((s, label), 0) for s in SPLITS}
        raise InputError(
            f"data.split.{split}",
            expected=f"at least {asked} photos of class {label}",
            found=f"{there} usable ones, of {label} in all: {_counted(have)} ({self.text}){also}",
            fix=f"add photos of {label}"
            + (f", or ask for less: {ratio}" if self.counted and all(most.values()) else "")
            + (", or try another data.seed" if not (self.counted or self.own) else "")
            + f", or leave class {label} out (data.classes)",
        )


def _counted(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sizes.items())


def _labels(*counts: Mapping[tuple[str, str], int]) -> list[str]:
    return list(dict.fromkeys(label for one in counts for _, label in one))
