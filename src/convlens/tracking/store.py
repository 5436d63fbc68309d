"""Which store, whether it answers, where it lies, and one projection at a time."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import filelock

from convlens.errors import InputError, masked
from convlens.files import atomic

EXPERIMENT = "convlens"
PROBE_SECONDS = 3.0
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # else a chat's pages
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


class TrackingUnavailable(Exception):  # noqa: N818 - a state of the world, not a mistake
    """The store cannot be used now; results are safe in their files."""


def configure() -> None:
    """Have a program's MLflow send nothing elsewhere, load no pickle and wait for seconds only."""
    for key, value in _SETTINGS.items():
        os.environ.setdefault(key, value)


def store_uri(place: Path) -> str:
    """Return MLFLOW_TRACKING_URI, or a SQLite file in `place` (absolute)."""
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    if "?" in str(place):
        why = "SQLite's addresses end at '?'; move the folder or set MLFLOW_TRACKING_URI"
        raise TrackingUnavailable(f"{place}: {why}")
    return f"sqlite:///{place / 'mlflow.db'}"


def sqlite_file(uri: str) -> Path | None:
    """Return the file behind a SQLite address, None for other stores."""
    match = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", uri)
    return Path(match[1]) if match else None


@contextmanager
def session(place: Path) -> Iterator[tuple[Any, str]]:
    """Yield an MlflowClient of the store of `place` and the id of experiment `convlens`.

    One process of a repository at a time has one. What fails in it, but the user's own mistakes,
    is TrackingUnavailable: one line that names the store and says all that MLflow says.
    """
    uri, path = store_uri(place), place / ".convlens" / "tracking.lock"
    before = os.environ.get("MLFLOW_TRACKING_URI")
    with _saying(uri):
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path, timeout=30):
            try:
                # MLflow's registry asks the default store for models, whatever its client is of.
                os.environ["MLFLOW_TRACKING_URI"] = uri
                yield _connect(uri, place)
            finally:
                if before is None:
                    del os.environ["MLFLOW_TRACKING_URI"]


def available(uri: str) -> None:
    """Raise TrackingUnavailable, as in a session, unless the store answers; change nothing."""
    path = sqlite_file(uri)
    if path is None or path.exists():
        with _saying(uri):
            _ask(uri)


@contextmanager
def _saying(uri: str) -> Iterator[None]:
    try:
        yield
    except (TrackingUnavailable, InputError):
        raise
    except Exception as error:  # a store can fail in as many ways as it has drivers
        reason = " ".join(str(error).split()) or type(error).__name__
        if "not a database" in reason or "malformed" in reason:
            reason += "; move it away, `convlens sync` rebuilds what the files say"
        reason = reason.replace("<database_uri>", uri)
        raise TrackingUnavailable(masked(f"{uri}: {reason}")) from None


def _ask(uri: str) -> tuple[Any, Any]:
    """Return an MlflowClient and experiment `convlens`, None if there is none yet.

    MLflow itself asks, so proxies, certificates and passwords are those of every later request.
    """
    from mlflow import MlflowClient

    client, answer = MlflowClient(uri), Future[Any]()

    def ask() -> None:
        try:
            answer.set_result(client.get_experiment_by_name(EXPERIMENT))
        except Exception as error:  # for the thread that waits
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()  # whatever hangs may hang on
    try:
        return client, answer.result(PROBE_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"no answer in {PROBE_SECONDS:g} seconds: down, far or locked") from None


def moved_from(place: Path) -> str:
    """Return where the store in `place` was made, if that is elsewhere: it was moved or copied."""
    path, query = place / "mlflow.db", "SELECT artifact_location FROM experiments WHERE name = ?"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{path}"
    if not path.exists() or sqlite_file(uri) != path:
        return ""
    try:
        with closing(sqlite3.connect(path)) as database:
            found = database.execute(query, (EXPERIMENT,)).fetchone()
    except sqlite3.Error:  # MLflow will say what is wrong with it
        return ""
    made, _, files = str(found[0] if found else "").rpartition("/")
    return made if files == "mlartifacts" and made != place.as_uri() else ""


def _settle(place: Path, old: str) -> None:
    """Write the store anew with the addresses of files that begin with `old` beginning here."""
    path, here = place / "mlflow.db", f"{place.as_uri()}/mlartifacts"
    with closing(sqlite3.connect(path)) as database:
        everything = "\n".join(database.iterdump()).replace(f"{old}/mlartifacts", here)
    with atomic(path) as partial, closing(sqlite3.connect(partial)) as database:
        database.executescript(everything)


def _connect(uri: str, place: Path) -> tuple[Any, str]:
    path = sqlite_file(uri)
    if path and not path.exists():
        _create(path)
    if old := moved_from(place):
        _settle(place, old)
    client, found = _ask(uri)
    if found is None:
        files = (path.parent.absolute() / "mlartifacts").as_uri() if path else None
        return client, client.create_experiment(EXPERIMENT, files, _EXPERIMENT_TAGS)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return client, found.experiment_id


def _create(path: Path) -> None:
    """Make a SQLite store's tables elsewhere: killed half-way, no broken one is left."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder, atomic(path) as partial:
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
        shutil.copyfile(f"{folder}/mlflow.db", partial)
