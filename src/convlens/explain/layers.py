"""Which of a net's many layers are worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convlens.explain.classifier import Classifier

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose")
_POOLINGS = ("MaxPooling2D", "AveragePooling2D")


def spatial(classifier: Classifier) -> list[str]:
    """Return all convolution and pooling layers that look at more than one place, in order."""
    return _of(classifier, (*_CONVOLUTIONS, *_POOLINGS))


def convolutions(classifier: Classifier) -> list[str]:
    """Return all convolution layers that look at more than one place, in order."""
    return _of(classifier, _CONVOLUTIONS)


def spread(names: Sequence[str], count: int) -> list[str]:
    """Return at most `count` of `names`, evenly, the last one included."""
    rows = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[row] for row in dict.fromkeys(rows.tolist())]


def stages(classifier: Classifier) -> list[str]:
    """Return the last map before each loss of resolution, poolings apart: one a stage, in order.

    Only maps that everything behind them goes through count.
    """
    last: dict[float, str] = {}
    for name in classifier.crossed:
        node = classifier.nodes[name]
        if node.layer_kind not in _POOLINGS and node.layer_kind != "ZeroPadding2D":
            last[max(axis.jump for axis in classifier.sites[node.outputs[0]].axes)] = name
    return list(last.values())


def _of(classifier: Classifier, kinds: tuple[str, ...]) -> list[str]:
    """Return the layers of these kinds that look at more than one place."""
    graph = classifier.graph
    found = []
    for name, node in classifier.nodes.items():
        number = graph.makers[node.outputs[0]]
        while graph.nodes[number].arguments is None:  # an activation of the layer's own
            number = graph.makers[graph.nodes[number].inputs[0]]
        before = classifier.sites.get(graph.nodes[number].inputs[0])
        if node.layer_kind in kinds and before is not None and max(before.grid) > 1:
            found.append(name)
    return found
