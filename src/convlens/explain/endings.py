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
    for place, opaque in _narrow(graph, slot):
        known = None if opaque else _known(graph, place, slot)
        if known == "same":
            continue
        if known is not None:
            _check_once(graph, place)
            return Logits(place, known)
        if _saturates(graph, place, slot, bounded=not opaque):
            raise _refused(graph, slot, f"{_names(graph, place, slot)}, which saturates")
    return Logits(slot, "logits")


def _narrow(graph: Graph, slot: int) -> list[tuple[int, bool]]:
    """Return the slots that everything behind them comes from, from `slot` back to the weights.

    The last one may lie in front of a layer with weights that nobody can see into; it is marked.
    """
    found, open_, makers = [(slot, False)], {slot}, graph.makers
    while True:
        numbers = {makers.get(s, -1) for s in open_}
        latest = max(numbers)
        if latest < 0:
            return found
        node = graph.nodes[latest]
        open_ = open_.difference(node.outputs).union(node.inputs)
        if node.weighted and (node.kind in _LINEAR or len(open_) > 1):
            return found
        if len(open_) == 1:
            found.append((next(iter(open_)), node.weighted))
        if node.weighted:
            return found


def _known(graph: Graph, place: int, slot: int) -> Ending | Literal["same"] | None:
    """Say what leads from `place` to `slot`, if it is one of the known endings."""
    inputs, outputs = _tried(graph, place, slot, 3.0)
    if inputs is None:
        return None
    if outputs.shape == inputs.shape:
        soft, smooth = _softmax(inputs), _sigmoid(inputs)
        if _close(outputs, inputs):
            return "same"
        if inputs.shape[1] > 1 and (_close(outputs, soft) or _close(outputs, np.log(soft))):
            return "softmax"
        if _close(outputs, smooth) or _close(outputs, np.log(smooth)):
            return "sigmoid"
    if inputs.shape[1] == 1 and outputs.shape[1] == 2:
        smooth = _sigmoid(inputs)
        return "sigmoid" if _close(outputs, np.hstack([1 - smooth, smooth])) else None
    return None


def _saturates(graph: Graph, place: int, slot: int, *, bounded: bool) -> bool:
    """Say whether `slot` stays within [0, 1], or stops growing, however large `place` is."""
    few, many = (_tried(graph, place, slot, scale)[1] for scale in (10.0, 1000.0))
    if not (few.size and np.isfinite(few).all()):
        return False
    share = bool((few >= -1e-6).all() and (few <= 1 + 1e-6).all())
    if share and few.shape[1] > 1:
        return bool(np.allclose(few.sum(axis=1), 1, atol=1e-4)) or bounded
    finite = many[np.isfinite(many)]
    grown = bool(finite.size) and np.abs(finite).max() > 2 * np.abs(few).max()
    return share if not bounded else not grown


def _tried(graph: Graph, place: int, slot: int, scale: float) -> tuple[Values | None, Values]:
    """Run from `place` to `slot` on random numbers; both as (8, M) and (8, C)."""
    import tensorflow as tf

    nothing: Values = np.zeros((0, 1))
    shape = graph.shapes[place][1:]
    if None in shape:
        return None, nothing
    draw = np.random.default_rng(0).standard_normal((8, *shape)) * scale
    given = tf.constant(draw.astype(np.float32))
    (found,) = graph.run({place: given}, [slot])
    flat = draw.astype(np.float32).reshape(8, -1).astype(np.float64)
    return flat, np.asarray(found, np.float64).reshape(8, -1)


def _check_shape(graph: Graph, slot: int) -> None:
    shape, dtype = graph.shapes[slot][1:], graph.dtypes[slot]
    if "float" not in dtype:
        raise _refused(graph, slot, f"an output of {dtype}, which has no gradient")
    if None in shape or sum(size > 1 for size in shape if size) > 1:
        raise _refused(graph, slot, f"an output of shape {('N', *shape)}, a map")


def _check_once(graph: Graph, place: int) -> None:
    """Refuse a softmax of a softmax."""
    for before, opaque in _narrow(graph, place)[1:]:
        if not opaque and _known(graph, before, place) in ("softmax", "sigmoid"):
            found = f"{_names(graph, before, place)} and then another softmax or sigmoid"
            raise _refused(graph, place, found)


def _names(graph: Graph, place: int, slot: int) -> str:
    nodes = [graph.nodes[number] for number in graph.path([place], [slot])]
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
