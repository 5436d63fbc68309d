"""How batch functions are run: in this process, or by Ray's workers on any number of machines.

A batch function takes a batch, a dictionary of arrays with one row an item, and returns another;
it knows neither files' final places nor progress. An engine makes one function a worker and gives
it blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from convlens.errors import InputError
from convlens.params import RuntimeParams

Batch = dict[str, NDArray[Any]]
Function = Callable[[Batch], Batch]
Name = Literal["local", "ray"]


class Engine(Protocol):
    """Runs a batch function over blocks."""

    def map(
        self, make: Callable[[], Function], blocks: Sequence[Batch]
    ) -> Iterator[tuple[int, Batch | None]]:
        """Yield (number, result) of each of `blocks`, in order.

        `make` is called once in each worker, and has to be picklable. A block over which its worker
        died again and again comes with None.

        Raises
        ------
        Exception
            What the function raised.
        """
        ...


def start(
    name: Name,
    *,
    workers: int | None = None,
    threads: int = 1,
    setup: Callable[[], object] = int,
) -> AbstractContextManager[Engine]:
    """Return the engine `name`; leaving the block stops what it started.

    Parameters
    ----------
    workers
        Processes of Ray; default: one for every `threads` CPUs of the cluster.
    threads
        Threads that a worker computes with: what it needs of a machine.
    setup
        What every process calls before its first function: this one, or each of Ray's workers.

    Raises
    ------
    InputError
        Ray is not installed, or can't be reached.
    """
    if name == "local":
        from convlens.engines.local import started as here

        return here(setup)
    from convlens.engines.cluster import started

    return started(workers, threads, setup)


def of(runtime: RuntimeParams) -> AbstractContextManager[Engine]:
    """Return the engine that section `runtime` asks for, whose workers compute as it says.

    The threads decide the last bits of sums, which the engine and the number of workers don't.
    """
    from convlens.runtime import configure

    return start(
        runtime.engine, workers=runtime.workers or None, threads=max(1, runtime.threads),
        setup=partial(configure, runtime),
    )  # fmt: skip


def survived(result: Batch | None, block: Batch) -> Batch:
    """Return the result of a block; raises InputError if its workers died over it."""
    if result is None:
        raise InputError(
            f"the workers that took {' '.join(f'{k} {v[0]}' for k, v in block.items())} …",
            expected="to finish it", found="each was killed",
            fix="free some memory, or take smaller batches, and run again",
        )  # fmt: skip
    return result


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
