"""A net as one flat graph of layers and operations, which runs from any point to any other.

The graph is run by calling the model's own layers one after the other: weights are shared, and the
model itself is left as it was (a second `keras.Model` over its layers would add calls to them).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convlens.errors import InputError


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


def twin(layer: Any, **attributes: Any) -> Any:
    """Return a layer that shares the weights of `layer` but differs in `attributes`."""
    copy = object.__new__(type(layer))
    copy.__dict__.update(layer.__dict__ | attributes)
    return copy
