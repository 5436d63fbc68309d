"""How batch functions are run: in this process, or by Ray's workers on any number of machines.

A batch function takes a batch, a dictionary of arrays with one row an item, and returns another;
it knows neither files' final places nor progress. An engine makes one function a worker and gives
it blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

Batch = dict[str, NDArray[Any]]
Function = Callable[[Batch], Batch]
Name = Literal["local", "ray"]


class Engine(Protocol):
    """Runs a batch function over blocks."""

    def map(
        self, make: Callable[[], Function], blocks: Sequence[Batch]
    ) -> Iterator[tuple[int, Batch | None]]:
        """Yield (number, result) of each of `blocks`, in order as long as no worker dies.

        `make` is called once in each worker, and has to be picklable. Blocks whose worker died
        over them again and again come last, with None.

        Raises
        ------
        Exception
            What the function raised.
        """
        ...


def start(
    name: Name, *, workers: int | None = None, threads: int = 1
) -> AbstractContextManager[Engine]:
    """Return the engine `name`; leaving the block stops what it started.

    Parameters
    ----------
    workers
        Processes of Ray; default: one for every `threads` CPUs of the cluster.
    threads
        Threads that a worker computes with: what it needs of a machine. The function sets them;
        they decide the last bits of sums, which the engine and the number of workers don't.

    Raises
    ------
    InputError
        Ray is not installed, or can't be reached.
    """
    if name == "local":
        from convlens.engines.local import Local

        return nullcontext(Local())
    from convlens.engines.ray import started

    return started(workers, threads)


def in_batches(function: Function, size: int) -> Function:
    """Return a function of blocks that gives `function` at most `size` rows at a time."""
    return partial(_in_batches, function, size)


def _in_batches(function: Function, size: int, block: Batch) -> Batch:
    import numpy as np

    rows = len(next(iter(block.values())))
    parts = [
        function({name: column[start : start + size] for name, column in block.items()})
        for start in range(0, rows, size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
