"""The original VGG16 with its 1000 classes, from a file whose content is checked twice.

Weights: Simonyan & Zisserman (Visual Geometry Group, Oxford), CC BY 4.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from convlens.data.download import download
from convlens.errors import InputError
from convlens.models import ready, weight_sources, weights
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
MD5 = "64373286793e3c8b2b4e3219cbf3544b"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE}"
IMAGE_SIZE = 224
DENSE = ("fc1", "fc2", "predictions")

Layers = Mapping[str, "tuple[NDArray[np.float32], NDArray[np.float32]]"]


def find(given: str | None, progress: Progress = silent) -> Path:
    """Return the file of the full weights: `given`, Keras' cache, or downloaded into that cache.

    Raises
    ------
    InputError
        If `given` is not that file, or neither the cache nor the download has it.
    """
    path = Path(given) if given is not None else weight_sources.keras_cache().with_name(FILE)
    if given is None and not path.is_file():
        try:
            download(URL, path, attempts=1, progress=progress)
        except (InputError, OSError) as error:
            reason = error.found if isinstance(error, InputError) else str(error)
            raise _unusable(path, f"no such file, and the download failed: {reason}") from error
    if not path.is_file():
        raise _unusable(path, "no such file")
    with path.open("rb") as source:
        found = hashlib.file_digest(source, _md5).hexdigest()
    if found != MD5:
        raise _unusable(path, f"a file with md5 {found}")
    return path


def load(path: Path, image_size: int = IMAGE_SIZE) -> keras.Model:
    """Return the flat net from photos (N, S, S, 3), RGB in 0..255, to logits (N, 1000).

    There is no softmax at its end: explanations start from logits.

    Raises
    ------
    InputError
        If the file lacks a layer, or its convolutions are not the ImageNet base.
    """
    import keras

    base = weights.read(path)
    if (found := weights.digest(base)) != weights.DIGEST:
        raise _unusable(path, f"convolutions with digest {found[:12]}…")
    body = ready.body(base, image_size, "float32")
    dense = _read_dense(path)
    x = keras.layers.Flatten(name="flatten")(body.output)
    for name, (_, bias) in dense.items():
        activation = None if name == DENSE[-1] else "relu"
        x = keras.layers.Dense(len(bias), activation=activation, name=name)(x)
    model = keras.Model(body.input, x, name="imagenet")
    for name, (kernel, bias) in dense.items():
        model.get_layer(name).set_weights([kernel, bias])
    return model


def _read_dense(path: Path) -> Layers:
    import h5py

    try:
        with h5py.File(path) as file:
            names = {layer: list(file[layer].attrs["weight_names"]) for layer in DENSE}
            return {
                layer: (file[layer][kernel][()], file[layer][bias][()])
                for layer, (kernel, bias) in names.items()
            }
    except (KeyError, ValueError) as error:
        raise _unusable(path, f"no dense layers: {error}") from error


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # Keras publishes no better digest of this file


def _unusable(path: Path, found: str) -> InputError:
    return InputError(
        path,
        expected=f"Keras' {FILE} (528 MB, md5 {MD5[:12]}…), with base digest "
        f"{weights.DIGEST[:12]}…",
        found=found,
        fix=f"get it from {URL} and put it there, or name it in imagenet.weights",
    )
