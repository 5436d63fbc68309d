"""Progress of long work, as a value that callers pass in; the package itself never prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
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
    if total is None and isinstance(items, Sized):
        total = len(items)
    with _bar(what, total, unit, seconds_between_lines=15.0) as bar:
        for item in items:
            yield item
            bar.update()


@contextmanager
def epochs(what: str, total: int) -> Iterator[Callable[[dict[str, float]], None]]:
    """Show a training's epochs on stderr; the yielded function takes each epoch's row."""
    with _bar(what, total, "epoch", seconds_between_lines=0.0) as bar:

        def show(row: dict[str, float]) -> None:
            scores = (f"{key} {row[key]:.3f}" for key in ("loss", "val_loss", "val_accuracy"))
            bar.set_postfix_str(", ".join(scores), refresh=False)
            bar.update()

        yield show


def _bar(what: str, total: int | None, unit: str, seconds_between_lines: float) -> Any:
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        desc=what,
        total=total,
        unit=unit,
        unit_scale=unit == "B",
        file=sys.stderr if terminal else _Lines(sys.stderr),
        mininterval=0.1 if terminal else seconds_between_lines,
        miniters=None if terminal else 1,
        dynamic_ncols=terminal,
        ncols=None if terminal else 120,
        ascii=not terminal,
    )
