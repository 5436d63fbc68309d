"""The engine of many processes and machines: Ray's actors, one function each."""

from __future__ import annotations

import gc
import pickle
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from convlens.engines import Batch, Function
from convlens.errors import InputError
from convlens.runtime import give_memory_back

TRIES = 3  # of a block over which its worker dies, before it is lost
IN_FLIGHT = 2  # blocks that a worker has at once, so that it never waits for the driver
AHEAD = 16  # blocks for each worker: so far the others go on while one takes long


class Ray:
    """Runs a batch function in `workers` processes of a Ray cluster."""

    def __init__(self, workers: int, threads: int, setup: Callable[[], object]) -> None:
        self.workers, self.threads, self.setup = workers, threads, setup
        self.idle: list[Any] = []

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
        # by reference, and in a list, where Ray leaves it one: large, and sent to a worker once
        self.setup, self.make = ([ray.put(cloudpickle.dumps(f))] for f in (engine.setup, make))
        self.up: dict[Any, list[int]] = {}  # worker to its blocks, the one that it works at first
        self.up |= {engine.idle.pop(): [] for _ in engine.idle[:]}
        self.starting: set[Any] = set()  # for ever, if a node has left: they are given no blocks
        self.calls: dict[Any, tuple[Any, int]] = {}  # what Ray will return, to worker and block
        self.stillborn = 0

    def grow(self, size: int) -> None:
        """Start workers up to this number."""
        while len(self.up) + len(self.starting) < size:
            worker = self.actor.remote(self.setup)
            self.starting.add(worker)
            self.calls[worker.__ray_ready__.remote()] = worker, -1

    def give(self, worker: Any, number: int, block: Batch) -> None:
        """Put a block behind those that the worker has."""
        # pickled: arrays that Ray itself hands over can't be written to
        self.calls[worker.run.remote(self.make, pickle.dumps(block))] = worker, number
        self.up[worker].append(number)

    def wait(self) -> tuple[list[int], Batch | None]:
        """Return a block and its result, or the blocks of a worker that died; none if one is up."""
        import ray
        from ray.exceptions import RayError

        (call,), _ = ray.wait(list(self.calls))
        worker, number = self.calls.pop(call)
        try:
            content = ray.get(call)
        except RayError as error:
            self.calls = {k: its for k, its in self.calls.items() if its[0] != worker}
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
        self.up[worker].remove(number)  # not always the first: Ray may tell of the next one before
        return [number], result


@contextmanager
def _pool(engine: Ray, make: Callable[[], Function]) -> Iterator[_Pool]:
    """Yield the workers of the engine; those that are up wait for its next function afterwards."""
    import ray

    pool = _Pool(engine, make)
    try:
        yield pool
    finally:
        engine.idle += (worker for worker, its in pool.up.items() if not its)
        for worker in {*pool.up, *pool.starting}.difference(engine.idle):
            ray.kill(worker)


class _Worker:
    """What an actor does: one block at a time, with its own function."""

    def __init__(self, setup: list[Any]) -> None:
        self.setup = setup
        self.make: list[Any] = []
        self.function: Function | None = None

    def run(self, make: list[Any], block: bytes) -> bytes:
        first = self.make != make
        try:
            if first:
                self._begin(make)
            assert self.function
            result: Any = self.function(pickle.loads(block))
            if first:
                give_memory_back()  # a net is read in several copies, and then traced
        except Exception as error:
            # for want of memory: as if the system had killed it, tried again, then lost
            if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
                raise  # the latter is TensorFlow's
            result = error  # ours to raise: Ray's message would bury it
        return pickle.dumps(result)

    def _begin(self, make: list[Any]) -> None:
        import ray

        self.function = None  # before there is another: each holds a net, which is full of cycles
        gc.collect()
        # unpickled now: a net only after TensorFlow is set up, and so that faults reach the user
        for setup in self.setup:
            pickle.loads(ray.get(setup))()
        self.function = pickle.loads(ray.get(make[0]))()
        self.setup, self.make = [], make
