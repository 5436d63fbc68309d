"""The one place that knows what a Keras model is: any image classifier, its layers open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain import adapt, endings, measured, placement, preprocessing
from convlens.explain import score as scoring
from convlens.explain.flatten import flatten
from convlens.explain.graph import Graph, Node
from convlens.explain.placement import Placement, Site
from convlens.explain.preprocessing import Affine

Floats = npt.NDArray[np.float32]
_ANY = 224  # pixels a side, for a net that takes any size
_BATCH = 32


class Classifier:
    """A Keras image classifier, its logits found and its layers open.

    Parameters
    ----------
    model
        A functional or Sequential Keras model of one image input (N, H, W, c), models within
        models included. It is left as it is.
    classes
        The names of its classes, in order; a text file of them, a line each; or "imagenet" for
        its usual 1000. Default: "class 0", "class 1", …
    preprocess
        From photos in 0..255 to what the model takes: a function of (N, H, W, c) float32, or
        "0..1", "-1..1", "0..255", "caffe", "imagenet". Default: the model does it itself.
    output
        Which output to explain, by name or number, where there are several.

    Attributes
    ----------
    input_shape
        (None, H, W, c) as in Keras; None for a size that is open.
    size
        (H, W) that photos should have: the model's; 224 where it is open and takes any.
    channels
        c of the photos.
    classes
        Names of the C classes; two for a model of one logit, whose class 1 it is.
    ending
        What the model itself does to its logits: "softmax", "sigmoid" or nothing ("logits").

    Raises
    ------
    InputError
        For a model that cannot be explained; it says why, and what to do.
    """

    def __init__(
        self,
        model: Any,
        classes: Sequence[str] | Path | str | None = None,
        preprocess: Callable[[Any], Any] | str | None = None,
        output: int | str | None = None,
    ) -> None:
        self.made_of = model, classes, preprocess, output
        self._open = found = flatten(model)
        self.name: str = found.name
        adapt.check(found)
        (self.source,) = found.inputs
        _, high, wide, self.channels = found.shapes[self.source]
        self.input_shape: tuple[Any, ...] = (None, high, wide, self.channels)
        self.size = (high or _ANY, wide or _ANY)
        self.graph: Graph = found.sized(*self.size)
        chosen = adapt.output(model, self.graph, output)
        self.logits_slot, self.ending = endings.find(self.graph, chosen)
        self.width = int(np.prod(self.graph.shapes[self.logits_slot][1:]))
        self.classes = adapt.class_names(classes, 2 if self.width == 1 else self.width, self.name)
        self._change: Callable[[Any], Any] = (
            preprocess
            if callable(preprocess)
            else preprocessing.named(preprocess or "0..255", self.channels)
        )
        self._graphs: dict[str, Graph] = {}
        self._functions: dict[Any, Any] = {}
        self._placements: dict[Any, Placement] = {}

    @classmethod
    def load(cls, path: Path | str, **kwargs: Any) -> Classifier:
        """Read a `.keras` file; the other arguments are the class's own."""
        from convlens.models import keras_file

        return cls(keras_file.load(Path(path)), **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return Classifier, self.made_of

    @cached_property
    def exact(self) -> Graph:
        """The graph with its 16-bit layers in float32, where small gradients don't vanish."""
        return adapt.in_float32(self.graph)

    @cached_property
    def sites(self) -> dict[int, Site]:
        """What is known of every slot with places, at the model's own size."""
        return placement.sites(self.graph, self.source)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Every layer or operation that gives maps on the way to the logits, by name, in order."""
        graph = self.graph
        on_the_way = graph.path([self.source], [self.logits_slot])
        nodes = [graph.nodes[number] for number in on_the_way]
        return {n.name: n for n in nodes if not n.hidden and n.outputs[0] in self.sites}

    @property
    def layers(self) -> list[str]:
        """The names of all layers with maps (h, w, K), first to last; a ViT's tokens are maps."""
        return list(self.nodes)

    @cached_property
    def crossed(self) -> list[str]:
        """The layers of several places that everything behind them goes through, in order."""
        return adapt.crossed(self)

    @cached_property
    def default_layer(self) -> str:
        """The last map of more than one place that everything the head sees goes through."""
        return adapt.default_layer(self)

    def slot(self, layer: str) -> int:
        """Return where the maps of `layer` are.

        Raises
        ------
        InputError
            For a layer that does not exist or has no height and width; it lists those that have.
        """
        if layer in self.nodes:
            return self.nodes[layer].outputs[0]
        known = any(node.name == layer for node in self.graph.nodes)
        raise InputError(
            f"model {self.name}, layer {layer}",
            expected="one of " + ", ".join(self.layers),
            found="a layer whose output has no height and width"
            if known
            else "no layer of that name",
            fix="name one of these layers",
        )

    def maps(self, tensor: Any, layer: str) -> Any:
        """Return the output of `layer` as maps (N, h, w, K): a ViT's tokens become a grid."""
        import tensorflow as tf

        site = self.sites[self.slot(layer)]
        if site.skip is None:
            return tensor
        high, wide = site.grid
        tokens = tensor[:, site.skip : site.skip + high * wide]
        return tf.reshape(tokens, (-1, high, wide, tokens.shape[-1]))

    def prepare(self, images: npt.NDArray[Any]) -> Floats:
        """Return photos (N, H, W, c) in 0..255 as the model takes them, float32.

        Raises InputError for photos of another shape than the model's.
        """
        images = np.asarray(images)
        adapt.check_photos(images, self.input_shape, self.name)
        return preprocessing.run(self._change, images)

    @cached_property
    def affine(self) -> Affine | None:
        """The preprocessing as one matrix and offset for every pixel; None if it isn't that."""
        if isinstance(self._change, Affine):
            return self._change
        return preprocessing.affine(self._change, self.channels)

    def by_pixels(self, gradient: Floats) -> Floats:
        """Return a gradient by prepared images as one by the photos' pixels, where it can be."""
        if self.affine is None:
            return gradient
        return np.asarray(gradient @ self.affine.matrix.T, np.float32)

    def logits(self, images: npt.NDArray[Any], policy: str | None = None) -> Floats:
        """Return logits (N, width) of photos (N, H, W, c) in 0..255.

        `policy` is the Keras dtype policy of the hidden layers; default: each layer's own.
        """
        graph = self.graph if policy is None else self.in_policy(policy)

        def forward(given: Any) -> Any:
            return self.flat(graph.run({self.source: given}, [self.logits_slot])[0])

        run = self.compiled(("logits", id(graph)), forward)
        starts = range(0, len(images), _BATCH)
        parts = [run(self.prepare(images[start : start + _BATCH])) for start in starts]
        return np.concatenate([np.asarray(part) for part in parts])

    def in_policy(self, policy: str) -> Graph:
        """Return the graph with hidden layers computing in a Keras dtype policy."""
        if policy not in self._graphs:
            self._graphs[policy] = adapt.in_policy(self.exact, policy, self.logits_slot)
        return self._graphs[policy]

    def flat(self, logits: Any) -> Any:
        """Return logits (N, width) float32 from the tensor of their slot."""
        import tensorflow as tf

        return tf.reshape(tf.cast(logits, tf.float32), (-1, self.width))

    def probabilities(self, images: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return (N, C) float64 for photos (N, H, W, c), uint8 or float in 0..255."""
        return scoring.probabilities(self.logits(images), self.ending)

    def compiled(self, key: Any, function: Callable[..., Any], *, classes: bool = False) -> Any:
        """Return a function of prepared images, and of `classes` (N,) if so, as a graph.

        It is traced once a `key`. Only a graph leaves out the gradients by the weights.
        """
        import tensorflow as tf

        if key not in self._functions:
            specs = [tf.TensorSpec((None, *self.input_shape[1:]), tf.float32)]
            specs += [tf.TensorSpec((None,), tf.int32)] * classes
            # as a concrete function: several functions of one line of code are no retracing
            traced = tf.function(function, input_signature=specs, autograph=False)
            self._functions[key] = traced.get_concrete_function()
        return lambda *given: self._functions[key](*map(tf.constant, given))

    def placement(self, layer: str, size: tuple[int, int] | None = None) -> Placement:
        """Return where the units of `layer` look, in pixels of photos of `size` (H, W).

        By default of the model's own size; only a model of open size takes others.
        """
        slot, size = self.slot(layer), size or self.size
        if (slot, size) not in self._placements:
            sites = self.sites
            if size != self.size:
                sites = placement.sites(self._open.sized(*size), self.source)
            site = sites[slot]
            self._placements[slot, size] = (
                measured.placement(self, layer, size, site)
                if site.doubt
                else Placement.of(site.axes, site.how)
            )
        return self._placements[slot, size]
