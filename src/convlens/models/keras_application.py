"""Any net of keras.applications as a base: Keras' own graph, weights and preprocessing.

Keras downloads the ImageNet weights to its cache and holds them to the hash that it knows.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.errors import InputError

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

_PREFIX = "keras:"


def maps(name: str, image: Any) -> Any:
    """Return the last maps of keras.applications.`name` for a tensor of RGB photos in 0..255.

    Its weights are random: channels in the order of RGB, as `fetch` gives them.
    """
    import keras

    build, (scale, offset, _) = _constructor(name), preprocessing(name)
    if not (np.allclose(scale, 1) and np.allclose(offset, 0)):
        image = keras.layers.Rescaling(
            scale.tolist(), offset.tolist(), dtype="float32", name=f"preprocess_{name.lower()}"
        )(image)
    try:
        net = build(
            include_top=False, weights=None, input_tensor=image, input_shape=image.shape[1:]
        )
    except ValueError as error:
        raise InputError(
            f"net {_PREFIX}{name}", expected="a data.image_size that it takes",
            found=" ".join(str(error).split())[:200], fix="change data.image_size",
        ) from error  # fmt: skip
    return net.output


def fetch(name: str, given: str | None) -> keras.Model:
    """Return the base with its ImageNet weights, from the file `given` or as Keras gets them.

    The net takes RGB in the range that its preprocessing gives; see `maps`.

    Raises
    ------
    InputError
        If there is no such net, or its weights can't be had.
    """
    build = _constructor(name)
    try:
        net = build(include_top=False, weights=given or "imagenet")
    except Exception as error:  # of the network, of the file's format, of its hash
        raise InputError(
            given or f"the weights of {_PREFIX}{name}",
            expected="Keras' file of the ImageNet weights without top",
            found=" ".join(str(error).split())[:300] or type(error).__name__,
            fix=f"run keras.applications.{name}(include_top=False) where there is a network, then "
            "copy ~/.keras/models/ from there",
        ) from error
    if preprocessing(name)[2]:
        first = next(layer for layer in net.layers if getattr(layer, "kernel", None) is not None)
        kernel, *others = first.get_weights()
        first.set_weights([kernel[:, :, ::-1], *others])
    return net


def _constructor(name: str) -> Any:
    import keras

    found = getattr(keras.applications, name, None)
    if not inspect.isfunction(found):
        every = (
            key for key, value in vars(keras.applications).items() if inspect.isfunction(value)
        )
        raise InputError(
            f"net {_PREFIX}{name}", expected="a net of keras.applications",
            found=f"none; there are {', '.join(sorted(every))}", fix="mend its spelling",
        )  # fmt: skip
    return found


def preprocessing(name: str) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Return what the net's `preprocess_input` does: scale and offset of R, G, B, and if it swaps.

    It is asked with black and with one level of each colour.
    """
    ask = sys.modules[_constructor(name).__module__].preprocess_input
    probes = np.vstack([np.zeros(3), np.eye(3)]).reshape(4, 1, 1, 3).astype(np.float32)
    black, *colours = np.asarray(ask(probes.copy()), np.float64).reshape(4, 3)
    matrix = np.array(colours) - black  # row: what a level of that colour adds to each channel
    swaps = bool(matrix[0, 0] == 0)
    if swaps:
        matrix, black = matrix[:, ::-1], black[::-1]
    return np.diag(matrix), black, swaps
