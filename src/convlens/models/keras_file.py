"""`.keras` files that are equal for equal models, and loading that runs no foreign code."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.files import atomic
from convlens.models import refusals

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
    """Load anybody's model for inference, .keras or .h5, without running code from the file.

    Raises
    ------
    InputError
        If the file is missing, unreadable, or holds layers that carry code or aren't Keras'.
    """
    import keras

    if refusal := refusals.of_the_file(path):
        raise refusal
    before = random.getstate()  # layers draw seeds for weights that the file's own replace
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # foreign configurations raise anything at all
        raise refusals.of_the_content(path, error) from error
    finally:
        random.setstate(before)


def is_hdf5(path: Path) -> bool:
    """Return whether `path` is in the older of Keras' two formats, whatever its name says."""
    with path.open("rb") as file:
        return file.read(len(refusals.HDF5)) == refusals.HDF5


def with_policy(model: keras.Model, policy: str) -> keras.Model:
    """Return a copy of `model` whose hidden layers compute in `policy`, with the same weights.

    Layers that the model's author pinned to float32 beside hidden ones (the preprocessing and
    the logit) stay float32 in every copy.
    """
    import keras

    pinned = ("rescaling", "preprocess", "logit")

    def convert(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Layer):
            return layer  # an operation, such as `x + y`: it has no policy and no weights
        config = layer.get_config()
        config["dtype"] = "float32" if layer.name.startswith(pinned) else policy
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
