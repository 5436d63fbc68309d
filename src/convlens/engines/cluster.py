"""A Ray cluster: the one that is there, or one of this machine."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from convlens.engines.ray import Ray
from convlens.errors import InputError
from convlens.runtime import stderr_held_back

_STORE = 200 * 2**20  # bytes of shared memory: blocks are small, since workers read for themselves


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
        engine = Ray(workers or most, threads, setup)
        try:
            yield engine
        finally:
            for worker in engine.idle:
                ray.kill(worker)
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
