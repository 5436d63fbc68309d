"""Where on the photo a layer's units look: arithmetic along every path of the graph.

A map of a net with unpadded convolutions does not reach the photo's rim: stretching it over the
whole photo would move everything outwards, by up to 14 of 150 pixels in the tutorials' convnet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from convlens.explain import windows
from convlens.explain.graph import Graph, Node
from convlens.explain.windows import Geometry

How = Literal["exact", "measured", "stretched"]
IDENTITY = Geometry(1, 1, 0.0)

# what moves nothing, though it has weights or looks at all places
_STILL = {
    "Activation", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU", "EinsumDense",
    "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization",
    "LayerScale", "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "RMSNormalization",
    "Softmax", "SpatialDropout2D", "StochasticDepth", "UnitNormalization", "ActivityRegularization",
    "Cast", "cast", "Sigmoid", "Silu", "Gelu", "Relu", "Relu6", "Tanh", "HardSwish", "HardSigmoid",
    "Elu", "Selu", "Softplus", "Negative", "Exp", "Log", "Sqrt", "Square", "Clip", "Power", "Abs",
    "Absolute", "Minimum", "Maximum", "Add", "Subtract", "Multiply", "Divide", "TrueDivide",
    "Average", "Concatenate", "Where",
}  # fmt: skip
_MIXING = {"MultiHeadAttention", "GroupedQueryAttention", "Attention", "AdditiveAttention"}
_SCRAMBLING = {"Transpose", "Permute", "Matmul", "Einsum", "Dot", "Tensordot", "Moveaxis",
               "Swapaxes"}  # fmt: skip


def local(node: Node) -> bool:
    """Say whether a node does to a larger photo what it does to this one."""
    return _still(node) or windows.known(node.op)


def _still(node: Node) -> bool:
    augments = node.kind.startswith("Random") and node.kind != "RandomCrop"  # in training only
    return augments or node.kind in _STILL or node.arguments is None  # activations and casts


class Placement(NamedTuple):
    """Unit (i, j) of a layer looks at `field` pixels about `start` + (i, j) × `jump`; (y, x) each.

    `how` says whether that is arithmetic ("exact"), was found from input gradients ("measured"), or
    neither was possible and the map is laid evenly over the photo ("stretched").
    """

    field: tuple[float, float]
    jump: tuple[float, float]
    start: tuple[float, float]
    how: How

    @classmethod
    def of(cls, axes: Sequence[Geometry], how: How) -> Placement:
        """Return it from one `Geometry` an axis."""
        y, x = axes
        return cls((y.field, x.field), (y.jump, x.jump), (y.start, x.start), how)

    @property
    def axes(self) -> tuple[Geometry, Geometry]:
        """The same as one `Geometry` an axis."""
        y, x = (Geometry(*axis) for axis in zip(self.field, self.jump, self.start, strict=True))
        return y, x


class Site(NamedTuple):
    """What is known of a slot with places: its axes, its grid (h, w), and how it is known.

    `skip` counts the tokens in front of a transformer's grid of tokens (N, T, D); None: a map
    (N, h, w, K). `doubt`: paths of different places meet, so that only a measurement tells.
    """

    axes: tuple[Geometry, Geometry]
    grid: tuple[int, int]
    skip: int | None = None
    how: How = "exact"
    doubt: bool = False


def sites(graph: Graph, source: int) -> dict[int, Site]:
    """Return every slot that has places, from the image in slot `source` on; all sizes known."""
    high, wide = graph.shapes[source][1:3]
    found = {source: Site((IDENTITY, IDENTITY), (high, wide))}
    for node in graph.nodes:
        before = [found[slot] for slot in node.inputs if slot in found]
        if before and (site := _behind(graph, node, before, (high, wide))) is not None:
            found[node.outputs[0]] = site
    return found


def _behind(graph: Graph, node: Node, before: Sequence[Site], size: tuple[int, int]) -> Site | None:
    """Return the site of a node's first output, None if it has no places."""
    shape = graph.shapes[node.outputs[0]]
    if len(shape) not in (3, 4) or node.kind in _SCRAMBLING:
        return None
    grid = (shape[1], shape[2]) if len(shape) == 4 else None
    if node.kind == "Reshape":
        return _reshaped(before[0], shape)
    if node.kind == "Concatenate" and grid is None:
        return _joined(graph, node, before, shape[1])
    if node.kind in _MIXING:
        (y, x) = before[0].axes
        whole = (y._replace(field=max(y.field, size[0])), x._replace(field=max(x.field, size[1])))
        return before[0]._replace(axes=whole) if shape[1] == _count(before[0]) else None
    if _still(node):
        return _met(before, grid or before[0].grid) if _fits(before, shape) else None
    moved = windows.behind(node.op, graph.shapes[node.inputs[0]], shape, before[0].axes)
    if moved is not None and grid is not None:
        return before[0]._replace(axes=moved, grid=grid)
    return _unknown(before, shape, size)


def _reshaped(before: Site, shape: tuple[int, ...]) -> Site | None:
    high, wide = before.grid
    if len(shape) == 3:
        return before._replace(skip=0) if shape[1] == high * wide else None
    if tuple(shape[1:3]) == before.grid and before.skip in (None, 0):
        return before._replace(skip=None)
    return None


def _joined(graph: Graph, node: Node, before: Sequence[Site], count: int) -> Site | None:
    """Return the site of tokens joined: along the tokens, or along their features."""
    most = max(before, key=_count)
    if count == _count(most):
        return _met([site for site in before if site.grid == most.grid], most.grid)
    ahead = 0
    for slot in (node.bound[id(tensor)] for tensor in node.arguments.keras_tensors):
        length = graph.shapes[slot][1]
        if length == _count(most):
            return most._replace(skip=ahead + (most.skip or 0))
        ahead += length or 0
    return None


def _fits(before: Sequence[Site], shape: tuple[int, ...]) -> bool:
    if len(shape) == 3:
        return shape[1] == _count(before[0])
    return any(site.grid == tuple(shape[1:3]) for site in before)


def _count(site: Site) -> int:
    return site.grid[0] * site.grid[1] + (site.skip or 0)


def _met(before: Sequence[Site], grid: tuple[int, int]) -> Site:
    """Return where paths meet; what is one number for all places (a gate) has no place."""
    paths = [site for site in before if site.grid == grid] or list(before)
    axes = tuple(_hull([site.axes[number] for site in paths]) for number in (0, 1))
    apart = any(axis is None for axis in axes)
    y, x = (axis or paths[0].axes[number] for number, axis in enumerate(axes))
    hows = [site.how for site in paths]
    how = "stretched" if "stretched" in hows else "exact"
    doubt = apart or any(site.doubt for site in paths)
    return Site((y, x), grid, paths[0].skip, how, doubt)  # type: ignore[arg-type]


def _hull(axes: Sequence[Geometry]) -> Geometry | None:
    """Return one axis for several paths, None if they look at places more than a pixel apart."""
    starts, jumps = [axis.start for axis in axes], {axis.jump for axis in axes}
    if len(jumps) > 1 or max(starts) - min(starts) > 1:
        return None
    start = sum(starts) / len(starts)
    reach = max(abs(axis.start - start) + (axis.field - 1) / 2 for axis in axes)
    return Geometry(math.ceil(2 * reach) + 1, axes[0].jump, start)


def _unknown(before: Sequence[Site], shape: tuple[int, ...], size: tuple[int, int]) -> Site | None:
    """Return the site behind a layer that nobody knows: to be measured, till then stretched."""
    grid, skip = ((shape[1], shape[2]), None) if len(shape) == 4 else _grid(shape[1], before[0])
    if grid is None or not all(grid):
        return None
    axes = [stretched(length, count) for length, count in zip(size, grid, strict=True)]
    return Site((axes[0], axes[1]), grid, skip, "stretched", doubt=True)


def stretched(length: int, count: int) -> Geometry:
    """Lay `count` units evenly over `length` pixels."""
    return Geometry(length, length / count, (length / count - 1) / 2)


def _grid(count: int, before: Site) -> tuple[Any, int | None]:
    """Return the grid (h, w) that `count` tokens make, and how many more stand in front of it."""
    high, wide = before.grid
    if before.skip is not None and count >= _count(before):
        return before.grid, count - high * wide
    for skip in range(min(6, count - 1)):
        side = math.sqrt(high * wide / max(count - skip, 1))
        if side >= 1 and side == int(side) and high % side == 0 and wide % side == 0:
            return (high // int(side), wide // int(side)), skip
    root = math.isqrt(count)
    return (
        ((root, root), count - root * root)
        if root > 1 and count - root * root < 6
        else (None, None)
    )
