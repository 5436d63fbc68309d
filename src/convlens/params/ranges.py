"""Ranges of parameters, from which a search draws."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convlens.errors import InputError

_DIGITS = 4  # of a number drawn: as many as a person reads
_KEYS = {"low", "high", "log", "choice"}


@dataclass(frozen=True)
class Range:
    """Where one parameter is drawn from: `choice`, or what lies from `low` to `high`.

    Between whole numbers whole numbers are drawn. With `log` every factor counts the same: as many
    draws lie between 1e-4 and 1e-3 as between 1e-3 and 1e-2.
    """

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choice: tuple[Any, ...] = ()

    @property
    def ends(self) -> tuple[Any, ...]:
        """The least and the most that can be drawn, or all of `choice`."""
        return self.choice or (self.low, self.high)

    def at(self, share: float) -> Any:
        """Return the value at `share` in [0, 1) of the way."""
        if self.choice:
            return self.choice[int(share * len(self.choice))]
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, end = self.low, self.high + whole
        value = low * (end / low) ** share if self.log else low + (end - low) * share
        value = math.floor(value) if whole else float(f"{value:.{_DIGITS}g}")
        return min(max(value, self.low), self.high)


def read(tree: Any, where: object) -> dict[str, Range]:
    """Return the ranges in a tree that came from `where`, by `section.parameter`.

    Raises
    ------
    InputError
        Naming the first one that is no range, and what is wrong with it.
    """
    if not isinstance(tree, Mapping) or {*tree} & _KEYS or not tree:
        if wrong := _wrong(tree):
            raise InputError(where, expected=wrong, found=repr(tree), fix="mend this range")
        return {"": Range(**dict(tree) | {"choice": tuple(tree.get("choice", ()))})}
    return {
        f"{name}.{key}".rstrip("."): each
        for name, branch in tree.items()
        for key, each in read(branch, f"{where}.{name}").items()
    }


def _wrong(tree: Any) -> str:
    """Return what a range should be and `tree` isn't; "" for a sound one."""
    keys = {*tree} if isinstance(tree, Mapping) else set()
    if keys == {"choice"}:
        several = isinstance(tree["choice"], list) and len(tree["choice"]) > 0
        return "" if several else "a list of values"
    if not {"low", "high"} <= keys <= {"low", "high", "log"}:
        return "{low: …, high: …}, perhaps with log: true, or {choice: […]}"
    low, high, log = tree["low"], tree["high"], tree.get("log", False)
    if not isinstance(log, bool):
        return "log true or false"
    if not all(type(end) in (int, float) and math.isfinite(end) for end in (low, high)):
        return "numbers"
    if low >= high:
        return "low less than high"
    return "low above 0, since log is true" if log and low <= 0 else ""


def draw(ranges: Mapping[str, Range], seed: int, number: int) -> dict[str, Any]:
    """Return values of trial `number`: each depends on seed, number and its own name alone."""
    return {
        key: each.at(np.random.default_rng((seed, number, zlib.crc32(key.encode()))).random())
        for key, each in ranges.items()
    }
