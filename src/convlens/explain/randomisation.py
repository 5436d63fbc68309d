"""Cascading randomisation: a map that survives losing the model's weights shows no model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.explain import score as scoring
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import Heatmaps, Method, heatmaps, weigh
from convlens.explain.graph import Node


def cascade(
    classifier: Classifier,
    images: npt.NDArray[Any],
    classes: npt.NDArray[np.int32],
    *,
    layer: str | None = None,
    method: Method = "grad-cam",
    seed: int = 0,
    start: Heatmaps | None = None,
) -> dict[str, float]:
    """Randomise layer after layer from the output down and compare each heatmap with the first.

    Weights are replaced by normal draws of the same mean and spread, cumulatively (Adebayo et al.
    2018, Sanity checks for saliency maps), those of frozen layers too; statistics that are not
    learned by gradients stay. The model itself stays as it is: the draws are tensors that stand
    in for its weights. What lies in front of the last layer randomised is run once.

    Parameters
    ----------
    start
        The heatmaps of these `images` first, for these `classes` and `layer`, where known.

    Returns
    -------
    dict
        Layer name, from the output down to the one explained (or the last with weights before
        it), to the mean rank correlation of the signed raw maps over `images` (N, H, W, c): 1
        means that nothing changed.
    """
    layer = layer or classifier.default_layer
    if start is None:
        start = heatmaps(classifier, images, layer=layer, method=method, classes=classes)
    changing = _changing(classifier, layer)
    learned = [weight for _, node in changing for weight in _learned(node.op)]
    run = _rerun(classifier, images, layer, min(number for number, _ in changing), learned)
    values = [np.asarray(weight) for weight in learned]
    draw, done, found = np.random.default_rng(seed), 0, {}
    for _, node in changing:
        for _ in _learned(node.op):
            old = values[done]
            spread = max(old.std(), 0.01)
            values[done] = draw.normal(old.mean(), spread, old.shape).astype(old.dtype)
            done += 1
        raw = np.asarray(weigh(method, *run(values, classes)))
        pairs = zip(start.raw[: len(raw)], raw, strict=True)
        found[node.layer.name] = float(np.mean([rank_correlation(a, b) for a, b in pairs]))
    return found


def _changing(classifier: Classifier, layer: str) -> list[tuple[int, Node]]:
    """Return the nodes to randomise with their numbers, from the output down, each layer once."""
    graph = classifier.exact
    last = graph.makers[classifier.slot(layer)]
    found: dict[int, tuple[int, Node]] = {}
    for number in reversed(graph.path([classifier.source], [classifier.logits_slot])):
        node = graph.nodes[number]
        if _learned(node.op):
            found.setdefault(id(node.layer), (number, node))
            if number <= last:
                break
    return list(found.values())


def _learned(layer: Any) -> list[Any]:
    """Return the weights that gradients have made, frozen or not."""
    parts = layer._flatten_layers() if hasattr(layer, "_flatten_layers") else []
    return [weight for part in parts for weight in part._trainable_variables]


def _rerun(
    classifier: Classifier, images: npt.NDArray[Any], layer: str, first: int, learned: list[Any]
) -> Any:
    """Return a function from values of the weights `learned` to the layer's maps and gradients."""
    import keras
    import tensorflow as tf

    graph, source, target = classifier.exact, classifier.source, classifier.logits_slot
    slot = classifier.slot(layer)
    made = {s for node in graph.nodes[:first] for s in node.outputs} | {source}
    needed = graph.path([source], [target])
    rest = {s for number in needed if number >= first for s in graph.nodes[number].inputs} | {slot}
    border = sorted(rest & made)
    photos = tf.constant(classifier.prepare(images))
    given = dict(zip(border, graph.run({source: photos}, border), strict=True))

    @tf.function  # type: ignore[untyped-decorator]
    def run(values: Any, classes: Any) -> Any:
        stand_ins = [(w, tf.convert_to_tensor(v)) for w, v in zip(learned, values, strict=True)]
        with (
            keras.StatelessScope(state_mapping=stand_ins),
            tf.GradientTape(watch_accessed_variables=False) as tape,
        ):
            for tensor in given.values():
                tape.watch(tensor)
            features, last = graph.run(given, [slot, target])
            total = scoring.score(classifier.flat(last), classes)
        slope = tape.gradient(total, features, unconnected_gradients="zero")
        return [tf.cast(classifier.maps(t, layer), tf.float32) for t in (features, slope)]

    return lambda values, classes: run([tf.constant(v) for v in values], tf.constant(classes))


def rank_correlation(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Return Spearman's correlation of two arrays of one shape; 0 if one is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(values) - (values.size + 1) / 2 for values in (first, second))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
