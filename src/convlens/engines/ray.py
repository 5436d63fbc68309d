"""The engine of many processes and machines: Ray Data's actors, one function each."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from convlens.engines import Batch, Function
from convlens.errors import InputError
from convlens.runtime import give_memory_back, stderr_held_back

TRIES = 2  # a round, of a block whose worker dies over it, before it is lost
# Blocks that a worker has at once, in each round. With two it never waits for the driver, which
# has no core of its own. But who waits behind a deadly block is lost with it, and a node that
# leaves takes finished results with it, too: these go through a second round, one by one.
IN_FLIGHT = 2, 1
# Of a thread's CPU. Actors that reserve every CPU leave none for Ray Data's own tasks, which
# then never run.
_SHARE = 0.9
_STORE = 200 * 2**20  # bytes of shared memory: blocks are small, since workers read for themselves


class Ray:
    """Runs a batch function in `workers` processes of a Ray cluster."""

    def __init__(self, workers: int, threads: int, setup: Callable[[], object]) -> None:
        self.workers, self.threads, self.setup = workers, threads, setup

    def map(
        self, make: Callable[[], Function], blocks: Sequence[Batch]
    ) -> Iterator[tuple[int, Batch | None]]:
        """Yield (number, result) of each of `blocks`; (number, None) of those that were lost."""
        left = dict(enumerate(blocks))
        for in_flight in IN_FLIGHT:
            for number, result in self._round(make, left, in_flight) if left else ():
                del left[number]
                yield number, result
        yield from ((number, None) for number in left)

    def _round(
        self, make: Callable[[], Function], blocks: dict[int, Batch], in_flight: int
    ) -> Iterator[tuple[int, Batch]]:
        """Yield what Ray Data gives back of `blocks`, a worker having `in_flight` of them."""
        import ray
        from ray import cloudpickle

        # pickled: Arrow would change some dtypes, float16 and names that aren't UTF-8 among them
        rows = [{"number": k, "block": pickle.dumps(block)} for k, block in blocks.items()]
        with _context():
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                _Worker,
                # by reference: Ray keeps the arguments as long as the worker lives
                fn_constructor_args=([ray.put(cloudpickle.dumps(f)) for f in (self.setup, make)],),
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(
                    size=min(self.workers, len(rows)),
                    max_tasks_in_flight_per_actor=in_flight,
                ),
                num_cpus=_SHARE * self.threads,
                max_restarts=-1,
                max_task_retries=TRIES - 1,
            )
            for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
                for number, content in zip(batch["number"], batch["result"], strict=True):
                    result = pickle.loads(content.as_buffer())
                    if isinstance(result, BaseException):
                        raise result
                    yield number.as_py(), result


class _Worker:
    """What an actor does: one block at a time, with its own function."""

    def __init__(self, begin: list[Any]) -> None:
        # unpickled later: a net only after TensorFlow is set up, and so that faults reach the user
        self.begin = begin
        self.function: Function

    def __call__(self, rows: Batch) -> dict[str, Any]:
        first = bool(self.begin)
        try:
            if first:
                import ray

                setup, make = self.begin
                pickle.loads(ray.get(setup))()
                self.function = pickle.loads(ray.get(make))()
                self.begin = []
            result: Any = self.function(pickle.loads(rows["block"][0]))
            if first:
                give_memory_back()  # a net is read in several copies, and then traced
        except Exception as error:
            # for want of memory: as if the system had killed it, tried again, then lost
            if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
                raise  # the latter is TensorFlow's
            result = error  # ours to raise: Ray's message would bury it
        return {"number": rows["number"], "result": [pickle.dumps(result)]}


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
        fit = int(ray.cluster_resources().get("CPU", 0) // (_SHARE * threads))
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
def _context() -> Iterator[None]:
    """Let Ray Data keep the blocks' order, say nothing, and go on without lost blocks."""
    from ray.data import DataContext

    here = DataContext.get_current()
    usual = here.copy()
    here.execution_options.preserve_order = True
    here.enable_progress_bars = False
    here.print_on_execution_start = False
    here.max_errored_blocks = -1
    try:
        with silenced("ray.data"), warnings.catch_warnings():
            # no named parameter of map_batches says yet how often a task is tried
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
            yield
    finally:
        DataContext._set_current(usual)


@contextmanager
def silenced(name: str) -> Iterator[None]:
    """Let the logger `name` say nothing."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


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
