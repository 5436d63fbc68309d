"""Progress of long work, as a value that callers pass in; the package itself never prints."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any, Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps an iterable and shows how far its consumer has come."""

    def __call__(
        self, items: Iterable[T], *, what: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]: ...


def silent(
    items: Iterable[T], *, what: str, total: int | None = None, unit: str = "it"
) -> Iterator[T]:
    """Show nothing: the default everywhere in the package."""
    del what, total, unit
    return iter(items)


class _Lines:
    """A log file's view of a progress bar: every update becomes a line of its own."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            self._stream.write(line + "\n")

    def flush(self) -> None:
        self._stream.flush()


def console(
    items: Iterable[T], *, what: str, total: int | None = None, unit: str = "it"
) -> Iterator[T]:
    """Show a bar on stderr: redrawn on a terminal, one plain line each 15 seconds in a log."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    where: Any = sys.stderr if terminal else _Lines(sys.stderr)
    return iter(
        tqdm(
            items,
            desc=what,
            total=total,
            unit=unit,
            unit_scale=unit == "B",
            file=where,
            mininterval=0.1 if terminal else 15.0,
            dynamic_ncols=terminal,
            ncols=None if terminal else 100,
            ascii=not terminal,
        )
    )
