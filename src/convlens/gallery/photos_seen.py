"""What a net sees in the examples, photo by photo: workers draw what is of one photo alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convlens.engines import Batch, Engine, survived
from convlens.engines.local import LOCAL
from convlens.explain.classifier import Classifier
from convlens.explain.depth import Depth, answers
from convlens.explain.evidence import Evidence, gather
from convlens.explain.gradcam import Heatmaps, Method, class_activation, joined
from convlens.gallery import explanation
from convlens.gallery.explanation import Photo
from convlens.progress import Progress, silent


@dataclass(frozen=True)
class Look:
    """What is asked of every photo: the heatmaps' layer and method, and how pictures are drawn."""

    layer: str
    method: Method
    colormap: str = "viridis"
    channel: int | None = None


class Seen(NamedTuple):
    """What one pass through the net and one back show of every photo.

    Of a few photos, in their order, the maps and gradients of the one layer are kept.
    """

    few: list[Evidence]
    heatmaps: Heatmaps
    depth: Depth


def see(
    classifier: Classifier,
    photos: Sequence[Photo],
    few: Sequence[Photo],
    look: Look,
    out: Path,
    *,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> Seen:
    """Run each of `photos` once; of the `few` among them, draw every layer.

    Writes `out`/activations/NAME/ and `out`/heatmaps/NAME_layers.png.
    """
    names = [photo.name for photo in few]
    make = partial(_Looking, classifier, photos, names, look, out.absolute())
    blocks = [{"photo": np.array([number])} for number in range(len(photos))]
    found: list[Any] = [None] * len(photos)
    made = engine.map(make, blocks)
    what = f"heatmaps of {look.layer}"
    for number, batch in progress(made, what=what, total=len(photos), unit="photo"):
        (found[number],) = survived(batch, blocks[number])["seen"]
    depth = Depth(classifier)
    for _, counted, _ in found:
        depth.add(counted)
    kept = {
        photo.name: Evidence(classifier, *parts)
        for photo, (_, _, parts) in zip(photos, found, strict=True)
        if parts
    }
    return Seen([kept[name] for name in names], joined([maps for maps, _, _ in found]), depth)


class _Looking:
    """A batch function of one photo: {"photo"} (1,), its number, to {"seen"} (1,) of objects."""

    def __init__(
        self, classifier: Classifier, photos: Sequence[Photo], few: Sequence[str], look: Look,
        out: Path,
    ) -> None:  # fmt: skip
        self.classifier, self.photos, self.few = classifier, photos, few
        self.look, self.out = look, out
        self.names = explanation.shown_layers(classifier)
        self.convolutions = explanation.shown_convolutions(classifier)

    def __call__(self, block: Batch) -> Batch:
        photo, layer = self.photos[int(block["photo"][0])], self.look.layer
        detailed = photo.name in self.few
        asked = [layer, *(self.convolutions if detailed else ())]
        seen = gather(self.classifier, photo.pixels[None], self.names, asked)
        parts = None
        if detailed:
            self._draw(seen, photo)
            alone = ({layer: values[layer]} for values in (seen.maps, seen.gradients))
            parts = (seen.size, seen.logits, seen.classes, *alone)
        counted = answers({name: seen.maps[name] for name in self.names})
        cell = np.empty(1, object)
        cell[0] = (class_activation(seen, layer, self.look.method), counted, parts)
        return {"seen": cell}

    def _draw(self, seen: Evidence, photo: Photo) -> None:
        look = self.look
        explanation.write_activations(
            seen, photo, self.out / "activations" / photo.name,
            channel=look.channel, colormap=look.colormap,
        )  # fmt: skip
        explanation.write_layers(
            seen, photo, self.out / "heatmaps", method=look.method, colormap=look.colormap
        )
