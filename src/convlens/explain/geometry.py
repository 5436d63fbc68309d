"""Where on the photo a layer's units look: pure arithmetic of kernels, strides and padding.

A map of a net with unpadded convolutions does not reach the photo's rim: stretching it over the
whole photo would move everything outwards, by up to 14 of 150 pixels in the tutorials' convnet.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from convlens.explain import layers as model_layers


class Geometry(NamedTuple):
    """One axis of a layer: unit i looks at `field` pixels about `start` + i × `jump`."""

    field: int
    jump: int
    start: float


IDENTITY = Geometry(1, 1, 0.0)


def geometry(model: Any) -> dict[str, tuple[Geometry, Geometry]]:
    """Return (vertical, horizontal) geometry of every convolution and pooling layer of a chain."""
    found = {}
    axes = [IDENTITY, IDENTITY]
    for layer in model.layers:
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if window is None or len(layer.output.shape) != 4:
            continue
        dilation = getattr(layer, "dilation_rate", (1, 1))
        for axis in (0, 1):
            reach = (window[axis] - 1) * dilation[axis]
            stride = layer.strides[axis]
            before = 0
            if layer.padding == "same":
                size, out = layer.input.shape[1 + axis], layer.output.shape[1 + axis]
                before = max((out - 1) * stride + reach + 1 - size, 0) // 2
            field, jump, start = axes[axis]
            axes[axis] = Geometry(
                field + reach * jump, jump * stride, start + (reach / 2 - before) * jump
            )
        found[layer.name] = (axes[0], axes[1])
    return {name: found[name] for name in model_layers.spatial(model)}
