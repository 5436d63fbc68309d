"""Where a net's logits are: in front of its last softmax or sigmoid, however that is written.

What follows the last layer with weights is tried on random numbers and recognised by what it does,
not by its name.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain.graph import Graph

Ending = Literal["logits", "sigmoid", "softmax"]
Values = npt.NDArray[np.float64]

_LINEAR = {"Dense", "EinsumDense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv1D",
           "Conv2DTranspose", "BatchNormalization", "LayerNormalization", "Normalization",
           "GroupNormalization", "RMSNormalization"}  # fmt: skip


class Logits(NamedTuple):
    """The slot that holds the logits, and what turns them into the model's own output."""

    slot: int
    ending: Ending


def find(graph: Graph, slot: int) -> Logits:
    """Return where the logits of the output `slot` are.

    Raises
    ------
    InputError
        For an output that is not one number a class, or that saturates in a way that cannot be
        cut off.
    """
    _check_shape(graph, slot)
    tail = _tail(graph, slot)
    for place in tail.narrow:
        known = _known(graph, place, slot)
        if known is not None:
            _check_once(graph, place)
            return Logits(place, known)
    if _saturates(graph, tail, slot):
        raise _refused(graph, slot, f"{_names(graph, tail.front, slot)}, which saturates")
    return Logits(slot, "logits")


class _Tail(NamedTuple):
    """What leads to an output behind the last weights.

    `narrow` are the slots that everything behind them comes from, from the output back; `front`
    those where it begins: behind layers with weights, or before one that nobody can see into
    (`opaque`).
    """

    narrow: list[int]
    front: list[int]
    opaque: bool


def _tail(graph: Graph, slot: int) -> _Tail:
    makers, narrow, fixed, waiting, opaque = graph.makers, [slot], set[int](), {slot}, False
    while waiting:
        latest = max(makers.get(s, -1) for s in waiting)
        if latest < 0:
            break
        node = graph.nodes[latest]
        made = waiting.intersection(node.outputs)
        waiting -= made
        if not node.weighted:
            waiting.update(node.inputs)
            if len(waiting | fixed) == 1:
                narrow.extend(waiting)
        elif node.kind in _LINEAR:
            fixed |= made
        else:
            fixed.update(node.inputs)
            opaque = True
    return _Tail(narrow, sorted(fixed | waiting), opaque)


def _known(graph: Graph, place: int, slot: int) -> Ending | None:
    """Say what leads from `place` to `slot`, if it is one of the known endings."""
    inputs, outputs = _tried(graph, [place], slot, 3.0)
    if outputs.shape == inputs.shape:
        soft, smooth = _softmax(inputs), _sigmoid(inputs)
        if inputs.shape[1] > 1 and (_close(outputs, soft) or _close(outputs, np.log(soft))):
            return "softmax"
        if _close(outputs, smooth) or _close(outputs, np.log(smooth)):
            return "sigmoid"
    if inputs.shape[1] == 1 and outputs.shape[1] == 2:
        smooth = _sigmoid(inputs)
        return "sigmoid" if _close(outputs, np.hstack([1 - smooth, smooth])) else None
    return None


def _saturates(graph: Graph, tail: _Tail, slot: int) -> bool:
    """Say whether the output stops growing, however large the numbers at the tail's front.

    Behind an opaque layer it only counts that all outputs are shares between 0 and 1.
    """
    few, many = (_tried(graph, tail.front, slot, scale)[1] for scale in (10.0, 1000.0))
    if not few.size:
        return False
    if tail.opaque:
        return bool((few >= -1e-6).all() and (few <= 1 + 1e-6).all())
    finite = many[np.isfinite(many)]
    return not finite.size or np.abs(finite).max() < 2 * np.abs(few).max()


def _tried(graph: Graph, places: list[int], slot: int, scale: float) -> tuple[Values, Values]:
    """Run from `places` to `slot` on random numbers; both as (8, M) and (8, C), or empty."""
    import tensorflow as tf

    if any(None in graph.shapes[place][1:] for place in places):
        return np.zeros((0, 1)), np.zeros((0, 2))
    draw = np.random.default_rng(0)
    shapes = [(8, *graph.shapes[place][1:]) for place in places]
    given = [(draw.standard_normal(shape) * scale).astype(np.float32) for shape in shapes]
    known = dict(zip(places, map(tf.constant, given), strict=True))
    (found,) = graph.run(known, [slot])
    flat = np.concatenate([values.reshape(8, -1) for values in given], axis=1)
    return flat.astype(np.float64), np.asarray(found, np.float64).reshape(8, -1)


def _check_shape(graph: Graph, slot: int) -> None:
    shape, dtype = graph.shapes[slot][1:], graph.dtypes[slot]
    if "float" not in dtype:
        raise _refused(graph, slot, f"an output of {dtype}, which has no gradient")
    if None in shape or sum(size > 1 for size in shape if size) > 1:
        raise _refused(graph, slot, f"an output of shape {('N', *shape)}, a map")


def _check_once(graph: Graph, place: int) -> None:
    """Refuse a softmax of a softmax."""
    for before in _tail(graph, place).narrow[1:]:
        if _known(graph, before, place) is not None:
            found = f"{_names(graph, [before], place)} and then another softmax or sigmoid"
            raise _refused(graph, place, found)


def _names(graph: Graph, places: list[int], slot: int) -> str:
    nodes = [graph.nodes[number] for number in graph.path(places, [slot])]
    return " → ".join(f"{node.name} ({node.kind})" for node in nodes if not node.hidden)


def _refused(graph: Graph, slot: int, found: str) -> InputError:
    number = graph.makers.get(slot)
    name = graph.nodes[number].name if number is not None else "input"
    return InputError(
        f"model {graph.name}, output {name}",
        expected="one logit a class, or a softmax or sigmoid of them",
        found=found,
        fix="build the model without that ending (classifier_activation=None)",
    )


def _close(first: Values, second: Values) -> bool:
    return bool(np.allclose(first, second, rtol=1e-3, atol=1e-5))


def _softmax(values: Values) -> Values:
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _sigmoid(values: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-values)))
