"""What argues for one class and what for another, on one photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlens.explain.evidence import Evidence, gather
from convlens.explain.gradcam import Method, class_activation
from convlens.gallery.explanation import NAMES, Photo, looks
from convlens.gallery.heatmaps import views
from convlens.gallery.style import save

RIVALS = 3  # maps of one photo


def write_classes(
    photos: Sequence[Photo],
    seen: Sequence[Evidence],
    out: Path,
    *,
    layer: str,
    method: Method,
    colormap: str,
) -> None:
    """Write classes.png: what argues for the predicted, the true and the next class on each photo.

    Two classes are shown in their own order.
    """
    classes = seen[0].classifier.classes
    rows = []
    for photo, each in zip(photos, seen, strict=True):
        asked = rivals(each.probabilities[0], classes, photo.label)
        found = [_evidence(each, photo, layer, label) for label in asked]
        maps = [class_activation(e, layer, method, c) for e, c in zip(found, asked, strict=True)]
        rows.append([looks(one, classes)[0] for one in maps])
    heading = f"{seen[0].classifier.name}: what argues for each class ({NAMES[method]})"
    two = f"Evidence for a {classes[0]} and evidence for a {classes[1]} are different maps"
    more = "The answer, the label and the next best answer: each has a map of its own."
    note = f"{two} of one photo." if len(classes) == 2 else more
    originals = [photo.original for photo in photos]
    save(views(originals, rows, heading, note, colormap), out / "classes.png")


def _evidence(seen: Evidence, photo: Photo, layer: str, label: int) -> Evidence:
    """Return evidence with the gradients of class `label`; of two, one's are minus the other's."""
    if seen.classifier.width == 1 or label == seen.classes[0]:
        return seen
    return gather(seen.classifier, photo.pixels[None], [layer], [layer], classes=label)


def rivals(probabilities: NDArray[np.float64], classes: Sequence[str], label: str) -> list[int]:
    """Return the classes worth asking about: the predicted, the true and the next ones, 3 at most.

    Of two classes both, in their own order.
    """
    ranked = [int(c) for c in np.argsort(-probabilities, kind="stable")]
    true = [classes.index(label)] if label in classes else []
    chosen = list(dict.fromkeys([ranked[0], *true, *ranked]))[:RIVALS]
    return sorted(chosen) if len(classes) == 2 else chosen
