"""What a base becomes a classifier by: pooling, logits, and the names of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.errors import InputError
from convlens.files import read_json, write_json
from convlens.models.initialisers import glorot
from convlens.params import BaseParams

if TYPE_CHECKING:
    import keras

NAMES = "classes.json"


def head(maps: Any, params: BaseParams, classes: int) -> Any:
    """Return the logits of a small head on a base's last maps, fresh from `params.seed`."""
    import keras

    layers, fresh = keras.layers, glorot(params.seed)
    pool = layers.Flatten if params.pooling == "flatten" else layers.GlobalAveragePooling2D
    x = pool(dtype="float32", name=params.pooling)(maps)
    if params.units:
        x = layers.Dense(
            params.units, activation="relu", kernel_initializer=next(fresh), dtype="float32",
            name="fc",
        )(x)  # fmt: skip
    x = layers.Dropout(params.dropout, seed=params.seed, dtype="float32", name="dropout")(x)
    return logits(x, classes, next(fresh))


def logits(x: Any, classes: int, kernel_initializer: Any) -> Any:
    """Return a net's last layer: for two classes (N, 1), the second one's logit; else (N, C)."""
    import keras

    units = 1 if classes == 2 else classes
    return keras.layers.Dense(
        units, kernel_initializer=kernel_initializer, dtype="float32", name="logit"
    )(x)


def count(model: keras.Model) -> int:
    """Return how many classes a net tells apart."""
    return max(2, int(model.output_shape[-1]))


def save_names(folder: Path, classes: Sequence[str]) -> None:
    """Write the names of a model's classes, in order, beside the model in `folder`."""
    write_json(folder / NAMES, list(classes))


def load_names(folder: Path, model: keras.Model | None = None) -> tuple[str, ...]:
    """Return the names of the classes of the `model` in `folder`, in order.

    Raises
    ------
    InputError
        If they are missing or, with a `model`, not as many as it tells apart.
    """
    path = folder / NAMES
    # models of two classes had no such file once, and were of cats and dogs
    names = read_json(path) if path.is_file() else ["cat", "dog"]
    if not isinstance(names, list):
        raise _refusal(path, "classes", names)
    if model:
        check_names(path, names, model)
    return tuple(map(str, names))


def check_names(path: Path, names: Sequence[str], model: keras.Model) -> None:
    """Raise InputError if the names of file `path` are not as many as the classes of `model`."""
    if len(names) != count(model):
        raise _refusal(path, f"{count(model)} classes", list(names))


def _refusal(path: Path, wanted: str, names: object) -> InputError:
    return InputError(
        path,
        expected=f"the names of the model's {wanted}",
        found=f"{names!r:.80}" if path.is_file() else "no such file",
        fix="train the model again: `make repro`",
    )
