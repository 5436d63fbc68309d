"""The engine of many processes and machines: Ray's actors, one function each."""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from convlens.engines import Batch, Function
from convlens.errors import InputError
from convlens.runtime import give_memory_back, stderr_held_back

TRIES = 3  # of a block over which its worker dies, before it is lost
IN_FLIGHT = 2  # blocks that a worker has at once, so that it never waits for the driver
AHEAD = 16  # blocks for each worker: so far the others go on while one takes long
_STORE = 200 * 2**20  # bytes of shared memory: blocks are small, since workers read for themselves


class Ray:
    """Runs a batch function in `workers` processes of a Ray cluster."""

    def __init__(self, workers: int, threads: int, setup: Callable[[], object]) -> None:
        self.workers, self.threads, self.setup = workers, threads, setup

    def map(
        self, make: Callable[[], Function], blocks: Sequence[Batch]
    ) -> Iterator[tuple[int, Batch | None]]:
        """Yield (number, result) of each of `blocks`, in order; (number, None) of lost ones."""
        waiting, tries = deque(range(len(blocks))), Counter[int]()
        done: dict[int, Batch | None] = {}
        due = 0
        with _pool(self, make) as pool:
            while due < len(blocks):
                pool.grow(min(self.workers, len(waiting)))
                for worker, its in pool.up.items():
                    room = IN_FLIGHT if len(waiting) > self.workers else 1
                    while waiting and len(its) < room and waiting[0] < due + AHEAD * self.workers:
                        pool.give(worker, number := waiting.popleft(), blocks[number])
                numbers, result = pool.wait()
                if result is not None:
                    done[numbers[0]] = result
                elif numbers:
                    tries[numbers[0]] += 1
                    if tries[numbers[0]] == TRIES:
                        done[numbers.pop(0)] = None
                    waiting.extendleft(reversed(numbers))
                while due in done:
                    yield due, done.pop(due)
                    due += 1


class _Pool:
    """Ray's actors and what they have to do."""

    def __init__(self, engine: Ray, make: Callable[[], Function]) -> None:
        import ray
        from ray import cloudpickle

        self.actor = ray.remote(num_cpus=engine.threads)(_Worker)
        # by reference: Ray keeps the arguments as long as the worker lives
        self.begin = [ray.put(cloudpickle.dumps(f)) for f in (engine.setup, make)]
        self.up: dict[Any, list[int]] = {}  # worker to its blocks, the one that it works at first
        self.starting: set[Any] = set()  # for ever, if a node has left: they are given no blocks
        self.calls: dict[Any, Any] = {}  # what Ray will return, to its worker
        self.stillborn = 0

    def grow(self, size: int) -> None:
        """Start workers up to this number."""
        while len(self.up) + len(self.starting) < size:
            worker = self.actor.remote(self.begin)
            self.starting.add(worker)
            self.calls[worker.__ray_ready__.remote()] = worker

    def give(self, worker: Any, number: int, block: Batch) -> None:
        """Put a block behind those that the worker has."""
        # pickled: arrays that Ray itself hands over can't be written to
        self.calls[worker.run.remote(pickle.dumps(block))] = worker
        self.up[worker].append(number)

    def wait(self) -> tuple[list[int], Batch | None]:
        """Return a block and its result, or the blocks of a worker that died; none if one is up."""
        import ray
        from ray.exceptions import RayError

        (call,), _ = ray.wait(list(self.calls))
        worker = self.calls.pop(call)
        try:
            content = ray.get(call)
        except RayError as error:
            self.calls = {other: its for other, its in self.calls.items() if its != worker}
            ray.kill(worker)  # want of memory leaves it alive
            if worker in self.up:
                return self.up.pop(worker), None
            self.starting.remove(worker)
            self.stillborn += 1
            if self.stillborn == TRIES:
                raise InputError(
                    "engine ray", expected="workers that start", found=str(error).splitlines()[-1],
                    fix="install the same convlens[ray] on every machine",
                ) from error  # fmt: skip
            return [], None
        if worker in self.starting:
            self.starting.remove(worker)
            self.up[worker], self.stillborn = [], 0
            return [], None
        result = pickle.loads(content)
        if isinstance(result, BaseException):
            raise result
        return [self.up[worker].pop(0)], result


@contextmanager
def _pool(engine: Ray, make: Callable[[], Function]) -> Iterator[_Pool]:
    import ray

    pool = _Pool(engine, make)
    try:
        yield pool
    finally:
        for worker in (*pool.up, *pool.starting):
            ray.kill(worker)


class _Worker:
    """What an actor does: one block at a time, with its own function."""

    def __init__(self, begin: list[Any]) -> None:
        # unpickled later: a net only after TensorFlow is set up, and so that faults reach the user
        self.begin = begin
        self.function: Function

    def run(self, block: bytes) -> bytes:
        first = bool(self.begin)
        try:
            if first:
                import ray

                setup, make = self.begin
                pickle.loads(ray.get(setup))()
                self.function = pickle.loads(ray.get(make))()
                self.begin = []
            result: Any = self.function(pickle.loads(block))
            if first:
                give_memory_back()  # a net is read in several copies, and then traced
        except Exception as error:
            # for want of memory: as if the system had killed it, tried again, then lost
            if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
                raise  # the latter is TensorFlow's
            result = error  # ours to raise: Ray's message would bury it
        return pickle.dumps(result)


@contextmanager
def started(workers: int | None, threads: int, setup: Callable[[], object]) -> Iterator[Ray]:
    """Yield the engine on the cluster of RAY_ADDRESS, or on one of this machine while it lasts.

    A cluster that is there already, in this process too, is used and left as it is.

    Raises
    ------
    InputError
        Ray is not installed, there is no cluster at RAY_ADDRESS, or it is too small.
    """
    if find_spec("ray") is None:
        raise InputError(
            "engine ray", expected="the extra `ray`", found="no module named ray",
            fix="pip install 'convlens[ray]', or use --engine local",
        )  # fmt: skip
    import ray

    ours = not ray.is_initialized()
    if ours:
        _connect(workers, threads)
    try:
        fit = int(ray.cluster_resources().get("CPU", 0) // threads)
        if fit < (workers or 1):
            raise InputError(
                "engine ray", expected=f"CPUs for {workers or 1} workers of {threads} threads",
                found=f"room for {fit}", fix="ask for fewer workers or threads, or add machines",
            )  # fmt: skip
        most = max(1, int(ray.cluster_resources()["CPU"] // threads))
        yield Ray(workers or most, threads, setup)
    finally:
        if ours:
            ray.shutdown()


def _connect(workers: int | None, threads: int) -> None:
    import ray

    # its C++ side writes to our stderr
    quiet = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_USAGE_STATS_ENABLED": "0"}
    address = os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {
        "include_dashboard": False,
        "num_cpus": workers * threads if workers else None,
        "object_store_memory": _STORE,
    }
    try:
        if address and "://" not in address and ":" in address:
            host, _, port = address.rpartition(":")  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), timeout=5).close()
        with stderr_held_back(), _defaults(quiet):
            # "local", or it would join a cluster that another command began, and will end
            ray.init(
                address=address or "local", logging_level=logging.ERROR, log_to_driver=False,
                **({} if address else own),
            )  # fmt: skip
    except Exception as error:  # Ray raises no narrower one if it doesn't start in time
        fix = "start it (docs/scale.md), or unset RAY_ADDRESS to use this machine alone"
        raise InputError(
            f"RAY_ADDRESS={address}" if address else "engine ray", expected="a Ray cluster",
            found=str(error).splitlines()[0],
            fix=fix if address else "run again when the machine is less busy",
        ) from error  # fmt: skip


@contextmanager
def _defaults(values: dict[str, str]) -> Iterator[None]:
    """Have in the environment what is not there yet, for the processes that start meanwhile."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]
