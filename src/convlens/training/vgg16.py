"""VGG16's training: a head on cached features, then perhaps block 5 with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import CachedViews, Split, load_split
from convlens.errors import InputError
from convlens.models import vgg16, weights
from convlens.params import FeaturesParams, Vgg16Params
from convlens.progress import Progress, silent
from convlens.runtime import Runtime
from convlens.training import features
from convlens.training.checkpoint import Checkpoint, History, fingerprint
from convlens.training.fit import OnEpoch, fit
from convlens.training.results import write

if TYPE_CHECKING:
    import keras


def extract_features(
    vgg: Vgg16Params,
    params: FeaturesParams,
    runtime: Runtime,
    prepared: Path,
    base_weights: Path,
    out: Path,
    progress: Progress = silent,
) -> None:
    """Write `out`/train.npy with K views of each image and `out`/validation.npy with one."""
    split = load_split(prepared, "train")
    base = vgg16.base(_whole(vgg, params, split, base_weights, runtime.policy), params.layer)
    for name, views in (("train", params.views), ("validation", 1)):
        features.extract(
            base, load_split(prepared, name), out / f"{name}.npy", params,
            views=views, what=f"features of {name}", progress=progress,
        )  # fmt: skip


def train(
    params: Vgg16Params,
    feature_params: FeaturesParams,
    runtime: Runtime,
    prepared: Path,
    base_weights: Path,
    cached: Path,
    out: Path,
    *,
    checkpoints: Path | None = None,
    on_epoch: Sequence[OnEpoch] = (),
) -> None:
    """Train head (and block 5) on `cached` features; write the whole flat net into `out`."""
    split = load_split(prepared, "train")
    model = _whole(params, feature_params, split, base_weights, "float32")
    layer = feature_params.layer
    source = CachedViews(_read(cached / "train.npy"), split.labels, params.seed)
    validation = Split(_read(cached / "validation.npy")[0], load_split(prepared, "validation").labels)
    settings = params.model_dump() | feature_params.model_dump() | runtime.record()
    data = (source.features, source.labels, validation.images, validation.labels)
    mark = fingerprint(settings, data)

    def phase(name: str, source: CachedViews, held_out: Split, after: str, p: Vgg16Params) -> History:
        part = vgg16.tail(model, after, p, runtime.policy)
        checkpoint = Checkpoint(checkpoints, f"{name}{mark}") if checkpoints else None
        history = fit(part, source, held_out, p, checkpoint=checkpoint, on_epoch=on_epoch)
        vgg16.copy_weights(part, model, only=part)
        return history

    ...
