"""Fixtures that several test folders share."""

import signal
from pathlib import Path

import pytest

# A shell that starts the tests in the background makes them, and all they start, deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a fixture: a file, and all tests of the one small pipeline run."""
    for item in items:
        pipeline = "ran" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("pipeline" if pipeline else str(item.path)))


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
