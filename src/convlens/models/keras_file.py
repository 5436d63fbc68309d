"""`.keras` files that are equal for equal models, and loading that runs no foreign code."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.errors import InputError
from convlens.files import atomic

if TYPE_CHECKING:
    import keras

_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(model: keras.Model, path: Path) -> None:
    """Write `model` in float32, without the optimizer, byte-identical for equal models.

    Keras stamps the date into the zip's metadata and its members; here both are constant.
    """
    plain = with_policy(model, "float32")
    with atomic(path) as partial:
        plain.save(partial)
        _strip_dates(partial)


def load(path: Path) -> keras.Model:
    """Load a model for inference in float32; Lambda layers and pickles are refused.

    Raises
    ------
    InputError
        If the file is missing, unreadable or holds code.
    """
    import keras

    if not path.is_file():
        raise InputError(
            path, expected="a trained model", found="no such file", fix="run `make repro` first"
        )
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            path,
            expected="a .keras file written by ConvLens",
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            fix="remove it and run `make repro`; if it comes back, ask `convlens doctor`",
        ) from error
    return model


def with_policy(model: keras.Model, policy: str) -> keras.Model:
    """Return a copy of `model` whose hidden layers compute in `policy`, with the same weights.

    Layers that the model's author pinned to float32 beside hidden ones (the preprocessing and
    the logit) stay float32 in every copy.
    """
    import keras

    pinned = {"rescaling", "preprocess", "logit"}

    def convert(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        config["dtype"] = "float32" if layer.name in pinned else policy
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=convert)
    copy.set_weights(model.get_weights())
    return copy


def weights_digest(model: keras.Model) -> str:
    """Return the SHA-256 over all weights in order: shape, then little-endian float32, C order."""
    import numpy as np

    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(repr(values.shape).encode())
        digest.update(np.ascontiguousarray(values, "<f4").tobytes())
    return digest.hexdigest()


def _strip_dates(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata: dict[str, Any] = json.loads(members["metadata.json"])
    metadata["date_saved"] = ""
    members["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), members[name])
