"""The small pipeline, really run by DVC, once for all tests."""

import shutil

import pytest
from small_repository import Repository, copy_repository


@pytest.fixture(scope="session")
def ran(tmp_path_factory) -> Repository:
    """A repository in which the small pipeline has run once."""
    repository = copy_repository(tmp_path_factory.mktemp("repository"))
    repository.run("dvc", "repro")
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
