"""Everything a training needs to continue after its last finished epoch, in one atomic file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.files import atomic

if TYPE_CHECKING:
    import keras

History = list[dict[str, float]]
PACKAGE = Path(__file__).resolve().parents[1]
TRAINS = ("data", "models", "training")  # the code that decides what a training becomes


def fingerprint(settings: Mapping[str, Any], data: Iterable[NDArray[Any]]) -> str:
    """Return what a training is a function of: its settings, its data and the code that trains.

    `settings` must be JSON-able; the arrays may be memory-mapped.
    """
    total = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for part in data:
        total.update(hashlib.sha256(np.ascontiguousarray(part).data).digest())
    total.update(code_digest(TRAINS).encode())
    return total.hexdigest()


def code_digest(folders: Iterable[str]) -> str:
    """Return the sha256 of all modules in these folders of the package."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted((PACKAGE / folder).glob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The state of one training; a file of another fingerprint is never restored."""

    folder: Path
    fingerprint: str

    @property
    def path(self) -> Path:
        """The one file of this training."""
        return self.folder / f"{self.fingerprint[:16]}.npz"

    def save(self, model: keras.Model, history: History) -> None:
        """Write weights, optimizer, dropout's random state and the history so far."""
        arrays: dict[str, Any] = {str(i): np.asarray(v) for i, v in enumerate(_state(model))}
        header = json.dumps({"fingerprint": self.fingerprint, "history": history})
        with atomic(self.path) as partial:
            np.savez(partial, header=np.array(header), **arrays)

    def restore(self, model: keras.Model) -> History:
        """Put a compiled, built `model` back and return its history; [] to start afresh.

        An unreadable file is removed: the training is then repeated, not the mistake.
        """
        for stray in self.folder.glob(f".{self.path.stem}.*.part.npz"):
            stray.unlink()  # of a killed run
        if not self.path.is_file():
            return []
        state = _state(model)
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                header = json.loads(str(arrays["header"]))
                values = [arrays[str(i)] for i in range(len(state))]
            if header["fingerprint"] != self.fingerprint:
                raise ValueError("another training's checkpoint")
            for variable, value in zip(state, values, strict=True):
                variable.assign(value)
        except Exception:  # zlib, zip, pickle, JSON and shape errors all mean the same: unusable
            self.path.unlink(missing_ok=True)
            return []
        history: History = header["history"]
        return history

    def remove(self) -> None:
        """Forget the state, once the training's results are written."""
        self.path.unlink(missing_ok=True)


def _state(model: keras.Model) -> list[Any]:
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]
