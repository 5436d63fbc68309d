"""Worker processes that never outlive their parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any


def cores() -> int:
    """Return the number of cores this process may use, which a container can restrict."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextmanager
def pool(
    workers: int, prepare: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of `workers` processes; each first calls `prepare(*arguments)`.

    They are spawned, since a fork would copy locks that the caller's threads hold. Ctrl-C is the
    parent's to handle, from the processes' first moment on, so they start with it blocked. Tasks
    not yet begun are dropped when the block ends early.
    """
    executor = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(prepare, arguments)
    )
    try:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            executor.submit(int)  # the first task starts the processes
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _start(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
