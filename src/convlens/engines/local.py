"""The engine of one process: a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from convlens.engines import Batch, Function


class Local:
    """Runs a batch function here, block by block."""

    def map(
        self, make: Callable[[], Function], blocks: Sequence[Batch]
    ) -> Iterator[tuple[int, Batch | None]]:
        """Yield (number, result) of each of `blocks`."""
        function = make()
        for number, block in enumerate(blocks):
            yield number, function(block)


LOCAL = Local()  # for functions that are not told of an engine


@contextmanager
def started(setup: Callable[[], object]) -> Iterator[Local]:
    """Yield the engine; this process is set up as Ray's workers would be."""
    setup()
    yield Local()
