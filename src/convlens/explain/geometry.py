"""Where on the photo a layer's units look: pure arithmetic of kernels, strides and padding.

A map of a net with unpadded convolutions does not reach the photo's rim: stretching it over the
whole photo would move everything outwards, by up to 14 of 150 pixels in the tutorials' convnet.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Geometry(NamedTuple):
    """One axis of a layer: unit i looks at `field` pixels about `start` + i × `jump`."""

    field: int
    jump: int
    start: float


IDENTITY = Geometry(1, 1, 0.0)


def geometry(model: Any) -> dict[str, tuple[Geometry, Geometry]]:
    """Return (vertical, horizontal) geometry of every layer with maps; the layers form a chain."""
    found = {}
    axes = (IDENTITY, IDENTITY)
    for layer in model.layers:
        if isinstance(layer.output, list) or len(layer.output.shape) != 4:
            continue
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if window is not None:
            axes = (_behind(axes[0], layer, window, 0), _behind(axes[1], layer, window, 1))
        found[layer.name] = axes
    return found


def _behind(before: Geometry, layer: Any, window: tuple[int, int], axis: int) -> Geometry:
    """Return one axis' geometry behind a convolution or pooling layer."""
    reach = (window[axis] - 1) * getattr(layer, "dilation_rate", (1, 1))[axis]
    stride, pad = layer.strides[axis], 0
    if layer.padding == "same":
        size, out = layer.input.shape[1 + axis], layer.output.shape[1 + axis]
        pad = max((out - 1) * stride + reach + 1 - size, 0) // 2
    field, jump, start = before
    return Geometry(field + reach * jump, jump * stride, start + (reach / 2 - pad) * jump)
