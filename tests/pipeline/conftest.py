"""The small pipeline, really run by DVC, once for all tests."""

import os
import shutil

import pytest
from filelock import FileLock
from small_repository import Repository, copy_repository


@pytest.fixture(scope="session")
def ran(tmp_path_factory) -> Repository:
    """A repository in which the small pipeline has run once, for all workers: not to be changed."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    done = folder / "ran.done"
    with FileLock(folder / "ran.lock"):
        if done.exists():
            return Repository(folder / "ran")
        repository = copy_repository(folder / "ran")
        repository.run("dvc", "repro")
        done.touch()
    return repository


@pytest.fixture(scope="module")
def committed(ran, tmp_path_factory) -> Repository:
    """A copy of `ran` with its results committed and no store, for the tests of one file."""
    folder = tmp_path_factory.mktemp("committed") / "repository"
    left = shutil.ignore_patterns("mlflow.db*", "mlartifacts", "tmp")
    shutil.copytree(ran.folder, folder, ignore=left)
    repository = Repository(folder)
    repository.run("git", "config", "user.name", "t")
    repository.run("git", "config", "user.email", "t@t")
    repository.run("git", "add", ".")
    repository.run("git", "commit", "-qm", "results")
    return repository
