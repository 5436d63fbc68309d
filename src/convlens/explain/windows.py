"""What one layer does to places: kernels, strides, padding, cropping, enlarging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Geometry(NamedTuple):
    """One axis of a layer: unit i looks at `field` pixels about `start` + i × `jump`."""

    field: float
    jump: float
    start: float


Axes = tuple[Geometry, Geometry]
Shape = Sequence[Any]


def known(layer: Any) -> bool:
    """Say whether `behind` knows the layer, at any size of the maps before it."""
    kind = type(layer).__name__
    return kind in _RULES and kind not in ("Resizing", "CenterCrop")


def behind(layer: Any, given: Shape, made: Shape, axes: Axes) -> Axes | None:
    """Return the axes behind `layer`, from maps of shape `given` to `made`; None if unknown."""
    kind = type(layer).__name__
    if kind not in _RULES or len(given) != 4 or len(made) != 4:
        return None
    found = [
        _RULES[kind](layer, axis, axes[axis], int(given[1 + axis]), int(made[1 + axis]))
        for axis in (0, 1)
    ]
    y, x = found
    return None if y is None or x is None else (y, x)


def _window(layer: Any, axis: int, before: Geometry, size: int, out: int) -> Geometry | None:
    """Convolutions, poolings and patches: (size + 2 pad - reach - 1) / stride + 1 = out."""
    window = _pair(
        getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None) or layer.size
    )[axis]
    reach = (window - 1) * _pair(getattr(layer, "dilation_rate", 1))[axis]
    stride = _pair(layer.strides or window)[axis]
    pad = max((out - 1) * stride + reach + 1 - size, 0) // 2 if layer.padding == "same" else 0
    field, jump, start = before
    return Geometry(field + reach * jump, jump * stride, start + (reach / 2 - pad) * jump)


def _transposed(layer: Any, axis: int, before: Geometry, _size: int, _out: int) -> Geometry | None:
    if any(value is not None for value in _pair(layer.output_padding)):
        return None
    stride, dilation = layer.strides[axis], _pair(layer.dilation_rate)[axis]
    reach = (layer.kernel_size[axis] - 1) * dilation
    pad = max(reach + 1 - stride, 0) // 2 if layer.padding == "same" else 0
    field, jump, start = before
    seen = (-(-(reach + 1) // stride) - 1) * jump
    return Geometry(field + seen, _divided(jump, stride), start + (pad - reach / 2) / stride * jump)


def _padded(layer: Any, axis: int, before: Geometry, _size: int, _out: int) -> Geometry:
    ahead = layer.padding[axis][0]
    return before._replace(start=before.start - ahead * before.jump)


def _cropped(layer: Any, axis: int, before: Geometry, _size: int, _out: int) -> Geometry:
    ahead = layer.cropping[axis][0]
    return before._replace(start=before.start + ahead * before.jump)


def _centred(_layer: Any, _axis: int, before: Geometry, size: int, out: int) -> Geometry | None:
    """The middle of larger maps; smaller ones are enlarged first, in a way of their own."""
    if out > size:
        return None
    return before._replace(start=before.start + (size - out) // 2 * before.jump)


def _resized(layer: Any, _axis: int, before: Geometry, size: int, out: int) -> Geometry | None:
    """Pixel centres aligned: unit i stands at (i + 1/2) × size / out - 1/2 of the units before."""
    if getattr(layer, "crop_to_aspect_ratio", False) or getattr(
        layer, "pad_to_aspect_ratio", False
    ):
        return None
    field, jump, start = before
    between = 0 if layer.interpolation == "nearest" or size == out else jump
    shift = (size / out - 1) / 2
    return Geometry(field + between, _divided(jump * size, out), start + shift * jump)


def _whole(_layer: Any, _axis: int, before: Geometry, size: int, _out: int) -> Geometry:
    field, jump, start = before
    return Geometry(field + (size - 1) * jump, jump * size, start + (size - 1) / 2 * jump)


def _divided(jump: float, parts: int) -> float:
    return jump // parts if jump % parts == 0 else jump / parts


def _pair(value: Any) -> tuple[Any, Any]:
    return (value[0], value[1]) if isinstance(value, (tuple, list)) else (value, value)


_RULES: dict[str, Any] = {
    "Conv2D": _window, "DepthwiseConv2D": _window, "SeparableConv2D": _window,
    "MaxPooling2D": _window, "AveragePooling2D": _window, "ExtractPatches": _window,
    "Conv2DTranspose": _transposed, "ZeroPadding2D": _padded, "Cropping2D": _cropped,
    "CenterCrop": _centred, "UpSampling2D": _resized, "Resizing": _resized,
    "GlobalAveragePooling2D": _whole, "GlobalMaxPooling2D": _whole,
}  # fmt: skip
