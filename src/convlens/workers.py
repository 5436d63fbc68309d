"""Worker processes that never outlive their parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from typing import Any

from convlens import cgroup
from convlens.errors import InputError


def cores() -> int:
    """Return the number of cores this process may use, which a container can restrict."""
    here = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(here, cgroup.cores() or here)


class _Pool(ProcessPoolExecutor):
    """Takes a task, or is interrupted; never both.

    A handler that raises while the executor takes a lock leaves it locked: its thread would wait
    for that lock, and everybody for that thread.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Put a task into the queue; Ctrl-C is noticed afterwards."""
        with _held_back():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def pool(
    workers: int, prepare: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of `workers` processes; each first calls `prepare(*arguments)`.

    They are spawned, since a fork would copy locks that the caller's threads hold. Ctrl-C is the
    parent's to handle, from the processes' first moment on. Tasks not yet begun are dropped when
    the block ends early.

    Raises
    ------
    InputError
        If the system killed a process.
    """
    executor = _Pool(
        workers, get_context("spawn"), initializer=_start, initargs=(prepare, arguments)
    )
    try:
        with _held_back():
            for _ in range(workers):
                executor.submit(int)  # each task that finds nobody idle starts a process
        yield executor
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process", expected="to finish its work", found="it was killed",
            fix="free some memory and run again",
        ) from error  # fmt: skip
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _held_back() -> Iterator[None]:
    """Let processes inherit a blocked Ctrl-C, and let this one notice signals at the end only.

    A process that is killed while it hands itself to a child leaves a child with half a pickle.
    """
    resource_tracker.ensure_running()  # starting it later would unblock the signals again
    noticed: list[int] = []
    here = threading.current_thread() is threading.main_thread()  # where handlers run
    ends = (signal.SIGINT, signal.SIGTERM) if here else ()
    handlers = {end: signal.signal(end, lambda number, _: noticed.append(number)) for end in ends}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for end, handler in handlers.items():
            signal.signal(end, handler)
        if noticed:
            signal.raise_signal(noticed[0])


def _start(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
