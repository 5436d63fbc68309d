"""One small Ray cluster for all tests, and drivers that use it."""

import os
import subprocess
import sys
import textwrap

import pytest

from convlens import engines


@pytest.fixture(scope="session")
def cluster():
    """A cluster of one node with two CPUs; tests may add nodes."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ.update(RAY_worker_niceness="0")  # 15 by default: starved beside other tests
    usual = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, **usual})
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def engine(cluster):
    """Two workers on the cluster."""
    assert cluster.address
    with engines.start("ray", workers=2) as started:
        yield started


@pytest.fixture
def driver(cluster, tmp_path):
    """Start a Python program with the engine as `engine`, on the cluster too."""
    started = []

    def start(body):
        lines = "from convlens import engines\n" + textwrap.dedent(body)
        file = tmp_path / "driver.py"
        file.write_text(lines)
        environment = {"PATH": "/usr/bin:/bin", "RAY_ADDRESS": cluster.address}
        process = subprocess.Popen([sys.executable, file], env=environment, cwd=tmp_path)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
