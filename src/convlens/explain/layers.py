"""Which layers of a flat functional model can be looked at."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from convlens.errors import InputError


def spatial(model: Any) -> list[str]:
    """Return the names of all convolution and pooling layers with maps (N, h, w, K), in order."""
    return [layer.name for layer in model.layers if _is_conv(layer) or _is_pool(layer)]


def convolutions(model: Any) -> list[str]:
    """Return the names of all convolution layers, in order."""
    return [layer.name for layer in model.layers if _is_conv(layer)]


def before_pooling(model: Any) -> list[str]:
    """Return the names of the convolutions that a pooling layer follows: one a block, in order."""
    names, pools = spatial(model), set(spatial(model)) - set(convolutions(model))
    return [a for a, b in itertools.pairwise(names) if a not in pools and b in pools]


def outputs(model: Any, names: Sequence[str]) -> list[Any]:
    """Return the symbolic outputs (N, h, w, K) of the layers called `names`.

    Raises
    ------
    InputError
        For a layer that does not exist or whose output has no spatial axes; it lists those that do.
    """
    known = {layer.name: layer for layer in model.layers}
    found = []
    for name in names:
        if name not in known:
            raise _unusable(model, name, "no layer of that name")
        output = known[name].output
        if isinstance(output, (list, tuple)) or len(output.shape) != 4:
            raise _unusable(model, name, "a layer whose output has no height and width")
        found.append(output)
    return found


def _unusable(model: Any, name: str, found: str) -> InputError:
    return InputError(
        f"model {model.name}, layer {name}",
        expected="one of " + ", ".join(spatial(model)),
        found=found,
        fix="name one of these layers",
    )


def _is_conv(layer: Any) -> bool:
    from keras import layers

    kinds = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    return isinstance(layer, kinds) and len(layer.output.shape) == 4


def _is_pool(layer: Any) -> bool:
    from keras import layers

    kinds = (layers.MaxPooling2D, layers.AveragePooling2D)
    return isinstance(layer, kinds) and len(layer.output.shape) == 4
