"""Any functional or Sequential Keras model as one flat graph, its nested models taken apart.

The graph is run by calling the model's own layers one after the other: weights are shared, and the
model itself is left as it was (a second `keras.Model` over its layers would add calls to them).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convlens.errors import InputError

_ACTIVATED = ("Dense", "EinsumDense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D",
              "Conv2DTranspose", "Conv1D", "DepthwiseConv1D", "SeparableConv1D")  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One call of a layer or operation: from the slots `inputs` to the slots `outputs`.

    `arguments` is Keras' record of the call, whose symbolic tensors `bound` maps to slots; without
    it, `op` is a function of one tensor. `layer` is the layer that it belongs to.
    """

    name: str
    op: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arguments: Any = None
    bound: Mapping[int, int] = field(default_factory=dict)
    hidden: bool = False  # what a layer computes before its own activation
    layer: Any = None

    def run(self, values: Mapping[int, Any]) -> list[Any]:
        """Return the outputs for the tensors in `values` (slot to tensor), at inference."""
        import keras

        if self.arguments is None:
            return [self.op(values[self.inputs[0]])]
        known = {tensor: values[slot] for tensor, slot in self.bound.items()}
        args, kwargs = self.arguments.fill_in(known)
        if getattr(self.op, "_call_has_training_arg", False):
            kwargs["training"] = False
        return list(keras.tree.flatten(self.op(*args, **kwargs)))

    @property
    def kind(self) -> str:
        """The class of the layer or operation, as in "Conv2D"; of a function, its name."""
        return getattr(self.op, "__name__", type(self.op).__name__)

    @property
    def layer_kind(self) -> str:
        """The class of the layer that it belongs to: "Conv2D" for its activation too."""
        return type(self.layer if self.layer is not None else self.op).__name__

    @property
    def weighted(self) -> bool:
        """Whether the layer has weights."""
        return bool(getattr(self.op, "weights", ()))


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which they can run, over numbered slots that hold tensors.

    `shapes` and `dtypes` are those that Keras recorded, with None where a size is open.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: tuple[tuple[Any, ...], ...]
    dtypes: tuple[str, ...]

    @property
    def makers(self) -> dict[int, int]:
        """Each slot's node, by number; inputs have none."""
        return {slot: number for number, node in enumerate(self.nodes) for slot in node.outputs}

    def path(self, given: Iterable[int], wanted: Iterable[int]) -> list[int]:
        """Return the numbers of the nodes needed for `wanted` where the slots `given` are known."""
        makers, known = self.makers, set(given)
        needed: set[int] = set()
        waiting = [slot for slot in wanted if slot not in known]
        while waiting:
            slot = waiting.pop()
            number = makers.get(slot)
            if number is not None and number not in needed:
                needed.add(number)
                waiting += [s for s in self.nodes[number].inputs if s not in known]
        return sorted(needed)

    def run(self, given: Mapping[int, Any], wanted: Sequence[int]) -> list[Any]:
        """Return the tensors of the slots `wanted`, computed from those of `given` only."""
        values = dict(given)
        for number in self.path(given, wanted):
            node = self.nodes[number]
            values.update(zip(node.outputs, node.run(values), strict=True))
        return [values[slot] for slot in wanted]

    def sized(self, height: int, width: int) -> Graph:
        """Return the graph with the shapes that it has for images of that size.

        Raises
        ------
        InputError
            If the model takes no images of that size.
        """
        import tensorflow as tf

        (given,) = self.inputs
        if None not in itertools.chain(*(shape[1:] for shape in self.shapes)):
            return self
        shapes = list(self.shapes)

        def trace(images: Any) -> Any:
            values = {given: images}
            for node in self.nodes:
                values.update(zip(node.outputs, node.run(values), strict=True))
            for slot, tensor in values.items():
                shapes[slot] = (None, *tuple(tensor.shape)[1:])
            return values[self.outputs[0]]

        channels = self.shapes[given][3]
        spec = tf.TensorSpec((None, height, width, channels), self.dtypes[given])
        try:
            tf.function(trace).get_concrete_function(spec)
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                f"model {self.name}", expected=f"images of {height} × {width} pixels to fit",
                found=str(error).strip().splitlines()[0], fix="give images of the size it takes",
            ) from error  # fmt: skip
        return replace(self, shapes=tuple(shapes))

    def weights(self) -> list[Any]:
        """Return every variable once, in the order of the nodes."""
        found = {id(w): w for node in self.nodes for w in getattr(node.op, "weights", ())}
        return list(found.values())

    def changed(self, change: Callable[[Any], Any]) -> Graph:
        """Return the graph with `change` made to each layer or operation, once for shared ones."""
        made: dict[int, Any] = {}
        nodes = []
        for node in self.nodes:
            if id(node.op) not in made:
                made[id(node.op)] = change(node.op)
            nodes.append(replace(node, op=made[id(node.op)]))
        return replace(self, nodes=tuple(nodes))


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


def twin(layer: Any, **attributes: Any) -> Any:
    """Return a layer that shares the weights of `layer` but differs in `attributes`."""
    copy = object.__new__(type(layer))
    copy.__dict__.update(layer.__dict__ | attributes)
    return copy


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

    x = keras.Input((1,))
    functional = type(keras.Model(x, keras.layers.Identity()(x)))
    if isinstance(model, keras.Sequential) and type(model).call is keras.Sequential.call:
        return model._functional
    if isinstance(model, functional) and type(model).call is functional.call:
        return model
    return None


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
