"""Which store, whether it answers, and one projection at a time."""

from __future__ import annotations

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import filelock

from convlens.errors import InputError, masked
from convlens.files import atomic

EXPERIMENT = "convlens"
PROBE_SECONDS = 3
_LOCK_SECONDS = 30
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # else a chat's pages
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


class TrackingUnavailable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """The store cannot be used now; results are safe in their files."""


def store_uri(place: Path) -> str:
    """Return MLFLOW_TRACKING_URI, or a SQLite file in `place` (absolute)."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{place / 'mlflow.db'}"


def available(uri: str) -> None:
    """Raise TrackingUnavailable unless the store answers within three seconds."""
    if uri.startswith(("http://", "https://")):
        _answers(uri)
    elif (path := sqlite_file(uri)) and path.exists():
        _unlocked(path)


def sqlite_file(uri: str) -> Path | None:
    """Return the file behind a sqlite URI, None for other stores."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _answers(uri: str) -> None:
    import requests

    try:
        # No redirects and no retries: whatever answers is alive, whatever hangs is not.
        answer = requests.get(
            f"{uri.rstrip('/')}/health", timeout=PROBE_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise TrackingUnavailable(
            f"{masked(uri)} does not answer ({type(error).__name__})"
        ) from None
    if answer.status_code >= 500:
        raise TrackingUnavailable(f"{masked(uri)} answers {answer.status_code}")


def _unlocked(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=PROBE_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT count(*) FROM sqlite_master")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise TrackingUnavailable(f"{path}: {error}") from None
    except sqlite3.DatabaseError as error:
        raise TrackingUnavailable(
            f"{path}: {error}; move it away, `convlens sync` rebuilds what the files say"
        ) from None


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Let one process of this repository at a time write to the store."""
    path = place / ".convlens" / "tracking.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(path, timeout=_LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise TrackingUnavailable(f"another process holds {path}") from None


@contextmanager
def session(place: Path) -> Iterator[tuple[Any, str]]:
    """Yield an MlflowClient of the store of `place` and the id of experiment `convlens`.

    One process of a repository at a time has one; what fails in it is TrackingUnavailable.
    """
    uri = store_uri(place)
    with failing_softly():
        available(uri)
        with locked(place), settings(uri):
            yield connect(uri)


@contextmanager
def failing_softly() -> Iterator[None]:
    """Turn every failure but the user's own mistakes into one line of TrackingUnavailable."""
    try:
        yield
    except (TrackingUnavailable, InputError):
        raise
    except Exception as error:  # a store can fail in as many ways as it has drivers
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise TrackingUnavailable(masked(reason)) from None


def connect(uri: str) -> tuple[Any, str]:
    """Return an MlflowClient of `uri` and the id of experiment `convlens`, made if need be."""
    initialise(uri)
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return client, client.create_experiment(EXPERIMENT, _artifacts(uri), _EXPERIMENT_TAGS)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return client, found.experiment_id


def _artifacts(uri: str) -> str | None:
    """Return where a local store keeps files; a server decides for itself."""
    path = sqlite_file(uri)
    return (path.parent / "mlartifacts").as_uri() if path else None


def initialise(uri: str) -> None:
    """Make a SQLite store's tables under another name: killed half-way, no broken one is left.

    So nothing is lost either by not waiting for the disk after each of a hundred tables, which
    takes most of ten seconds.
    """
    path = sqlite_file(uri)
    if path is None or path.exists():
        return
    from mlflow.tracking import MlflowClient
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def hurry(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF").close()

    with atomic(path) as partial:
        event.listen(Engine, "connect", hurry)
        try:
            MlflowClient(f"sqlite:///{partial}")
        finally:
            event.remove(Engine, "connect", hurry)


@contextmanager
def settings(uri: str) -> Iterator[None]:
    """Set MLflow up to use `uri`, send nothing elsewhere, load no pickle and say nothing."""
    disabled = logging.root.manager.disable
    wanted = {key: os.environ.get(key, value) for key, value in _SETTINGS.items()}
    wanted["MLFLOW_TRACKING_URI"] = uri
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value
