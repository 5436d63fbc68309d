"""Fixtures that several test folders share."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.data.decode import decode
from convlens.tracking import configure

configure()  # as every program of ours does, before anything imports MLflow
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # likewise, before TensorFlow
if "PYTEST_XDIST_WORKER" in os.environ:  # who waits for other threads keeps cores from the others
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")

# A shell that starts the tests in the background makes them, and all they start, deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


# What starts first, in this order: the run of the small pipeline, what needs none, what needs it,
# and what would be long at the end.
FIRST = (
    "tests/pipeline/test_experiments.py",
    "tests/explain/test_contract.py",
    "tests/pipeline",
    "tests/training",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest, so that all workers end together."""
    items.sort(key=lambda item: [not item.nodeid.startswith(name) for name in FIRST])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a file's tests together, since they share fixtures; those of the contract share none."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if nodeid.startswith(FIRST[1]) else nodeid.split("::", 1)[0]

    return ByFixture(config, log)


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real photos beside the repository; tests that want them skip where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real photos beside the repository (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def lite0():
    """EfficientNet-Lite0 with its ImageNet weights, 224 × 224: a real net that isn't ours."""
    from convlens.errors import InputError
    from convlens.models import efficientnet_lite0

    try:
        return efficientnet_lite0.load()
    except InputError as error:
        pytest.skip(f"no weights of EfficientNet-Lite0: {error.found}")


@pytest.fixture(scope="session")
def chelsea() -> np.ndarray:
    """Chelsea, an Egyptian cat: uint8 (224, 224, 3)."""
    return decode((ROOT / "src/convlens/assets/chelsea.png").read_bytes(), 224).pixels
