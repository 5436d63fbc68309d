"""Any functional or Sequential Keras model as one flat graph, its nested models taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from convlens.errors import InputError
from convlens.explain.graph import Graph, Node, twin

_ACTIVATED = ("Dense", "EinsumDense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D",
              "Conv2DTranspose", "Conv1D", "DepthwiseConv1D", "SeparableConv1D")  # fmt: skip


def flatten(model: Any) -> Graph:
    """Take `model` apart, down to the layers of models within models.

    Raises
    ------
    InputError
        For a model whose computation is code (subclassed) or that has no input shape yet.
    """
    builder = _Builder()
    inner = _inside(model)
    if inner is None:
        raise _opaque(model)
    inputs = [builder.slot(tensor) for tensor in inner.inputs]
    outputs = builder.unfold(inner, inputs, ())
    nodes = _with_unique_names(builder.nodes)
    return Graph(
        model.name, tuple(nodes), tuple(inputs), tuple(outputs),
        tuple(builder.shapes), tuple(builder.dtypes),
    )  # fmt: skip


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[tuple[tuple[str, ...], Node]] = []
        self.shapes: list[tuple[Any, ...]] = []
        self.dtypes: list[str] = []
        self._linear: dict[int, Any] = {}
        self._vague = False  # inside a model called on another size than it was built for

    def slot(self, tensor: Any) -> int:
        shape = tuple(tensor.shape)
        self.shapes.append((None,) * len(shape) if self._vague else shape)
        self.dtypes.append(str(tensor.dtype))
        return len(self.shapes) - 1

    def unfold(self, model: Any, inputs: Sequence[int], outer: tuple[str, ...]) -> list[int]:
        """Add the calls inside `model`, fed from the slots `inputs`; return its output slots."""
        import keras

        slots, vague = {}, self._vague
        for tensor, slot in zip(model.inputs, inputs, strict=True):
            slots[id(tensor)] = self._cast(slot, tensor, outer)
            self._vague |= self.shapes[slot] != tuple(tensor.shape)
        by_depth = model._nodes_by_depth
        for call in (call for depth in sorted(by_depth, reverse=True) for call in by_depth[depth]):
            if call.is_input:
                continue
            within = [slots[id(tensor)] for tensor in call.arguments.keras_tensors]
            nested = _inside(call.operation)
            if nested is not None:
                name = (*outer, call.operation.name)
                found = self.unfold(nested, within, name)
            else:
                bound = {id(t): slots[id(t)] for t in call.arguments.keras_tensors}
                found = [self.slot(tensor) for tensor in keras.tree.flatten(call.outputs)]
                self._add(call, bound, found, outer)
            slots.update(zip(map(id, call.outputs), found, strict=True))
        self._vague = vague
        return [slots[id(tensor)] for tensor in model.outputs]

    def _add(self, call: Any, bound: dict[int, int], found: list[int], outer: Any) -> None:
        layer, kind = call.operation, type(call.operation).__name__
        inputs, arguments = tuple(dict.fromkeys(bound.values())), call.arguments
        activation = getattr(layer, "activation", None) if kind in _ACTIVATED else None
        if getattr(activation, "__name__", "linear") == "linear" and not _is_layer(activation):
            node = Node(layer.name, layer, inputs, tuple(found), arguments, bound, layer=layer)
            self.nodes.append((outer, node))
            return
        linear = self._linear.setdefault(id(layer), twin(layer, activation=_linear))
        between = self.slot(call.outputs[0])
        before = Node(layer.name, linear, inputs, (between,), arguments, bound, True, layer)
        after = Node(layer.name, activation, (between,), tuple(found), layer=layer)
        self.nodes += [(outer, before), (outer, after)]

    def _cast(self, slot: int, tensor: Any, outer: tuple[str, ...]) -> int:
        """Cast as a nested model casts what it is called on."""
        import keras

        if str(tensor.dtype) == self.dtypes[slot]:
            return slot
        dtype = tensor.dtype
        new = self.slot(tensor)
        self.shapes[new] = self.shapes[slot]
        node = Node("cast", lambda x: keras.ops.cast(x, dtype), (slot,), (new,), hidden=True)
        self.nodes.append((outer, node))
        return new


def _linear(x: Any) -> Any:
    return x


def _is_layer(thing: Any) -> bool:
    import keras

    return isinstance(thing, keras.layers.Layer)


def _inside(model: Any) -> Any:
    """Return the functional model behind `model`, or None if its computation is code."""
    import keras

    functional = _functional()
    if isinstance(model, keras.Sequential) and type(model).call is keras.Sequential.call:
        return model._functional
    if isinstance(model, functional) and type(model).call is functional.call:
        return model
    return None


@cache
def _functional() -> Any:
    """Return Keras' class of functional models, which has no public name."""
    import keras

    x = keras.Input((1,))
    return type(keras.Model(x, keras.layers.Identity()(x)))


def _with_unique_names(found: list[tuple[tuple[str, ...], Node]]) -> list[Node]:
    """Name each node: the layer's name where that is enough, else with the models around it."""
    shown = [node.name for _, node in found if not node.hidden]
    twice = {name for name, count in Counter(shown).items() if count > 1}
    seen: Counter[str] = Counter()
    nodes = []
    for outer, node in found:
        name = "/".join((*outer, node.name)) if node.name in twice else node.name
        if not node.hidden:
            seen[name] += 1
            name = name if seen[name] == 1 else f"{name}:{seen[name]}"
        nodes.append(replace(node, name=name))
    return nodes


def _opaque(model: Any) -> InputError:
    import keras

    if isinstance(model, keras.Sequential):
        return InputError(
            f"model {model.name}",
            expected="a model with an input shape",
            found="a Sequential model that was never called",
            fix="let it begin with keras.Input(shape), or call it on a photo first",
        )
    if isinstance(model, keras.Model):
        return InputError(
            f"model {model.name}",
            expected="a functional or Sequential model, whose layers can be seen",
            found=f"a subclassed one, {type(model).__name__}, whose call is code",
            fix="build it as keras.Model(inputs, outputs) and give that the same weights",
        )
    return InputError(
        type(model).__name__, expected="a Keras model", found=repr(model)[:80],
        fix="pass a keras.Model, or a path to Classifier.load",
    )  # fmt: skip
