"""VGG16's training: a head on cached features, then perhaps block 5 with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import CachedViews, Split, load_split
from convlens.data.space import check_memory
from convlens.errors import InputError
from convlens.models import vgg16, weights
from convlens.params import FeaturesParams, Vgg16Params
from convlens.runtime import Runtime
from convlens.training.checkpoint import Checkpoint, History, fingerprint
from convlens.training.fit import OnEpoch, fit
from convlens.training.results import write

if TYPE_CHECKING:
    import keras


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
    """Train the head, then block 5 if asked, on `cached` features; write the whole net to `out`."""
    split, held_out = load_split(prepared, "train"), load_split(prepared, "validation")
    image_size = split.images.shape[1]
    model = vgg16.build(
        weights.read(base_weights), feature_params, params, image_size, len(split.classes)
    )
    views = CachedViews(
        _read(cached, "train", len(split)), split.labels, split.classes, params.seed
    )
    validation = replace(held_out, images=_read(cached, "validation", len(held_out))[0])
    settings = {
        "vgg16": params.model_dump(),
        "features": feature_params.model_dump(),
        "runtime": runtime.record(),
    }
    data = (views.features, views.labels, validation.images, validation.labels)
    mark = fingerprint(settings, data) if checkpoints else ""
    done: list[Checkpoint] = []

    def phase(source: CachedViews, plain: Split, after: str, how: Vgg16Params) -> History:
        part = vgg16.tail(model, after, how, runtime.policy)
        checkpoint = Checkpoint(checkpoints, f"{len(done)}-{mark}") if checkpoints else None
        rows = fit(part, source, plain, how, checkpoint=checkpoint, on_epoch=on_epoch)
        vgg16.copy_weights(part, model)
        done.extend([checkpoint] if checkpoint else [])
        return rows

    if feature_params.layer == "block5_pool":
        history = phase(views, validation, "block5_pool", params)
    else:
        block5 = vgg16.between(model, feature_params.layer, "block5_pool", runtime.policy)
        ready = replace(views, features=_through(block5, views.features))
        ready_validation = replace(validation, images=_through(block5, validation.images[None])[0])
        history = phase(ready, ready_validation, "block5_pool", params)
    if params.fine_tune.epochs:
        how = params.model_copy(update=params.fine_tune.model_dump() | {"warmup_epochs": 0.0})
        tuned = phase(views, validation, feature_params.layer, how)
        history += [row | {"epoch": row["epoch"] + params.epochs} for row in tuned]
    write(out, model, history, runtime, split.classes)
    for checkpoint in done:
        checkpoint.remove()


def _read(cached: Path, name: str, count: int) -> NDArray[np.float16]:
    path = cached / f"{name}.npy"
    try:
        features: NDArray[np.float16] = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(
            path, expected="features written by stage extract_features", found=str(error),
            fix="run `dvc repro extract_features`",
        ) from error  # fmt: skip
    if features.shape[1] != count:
        raise InputError(
            path, expected=f"features of {count} images", found=f"{features.shape[1]}",
            fix="run `dvc repro --force extract_features`",
        )  # fmt: skip
    return features


def _through(part: keras.Model, features: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return (K, N, …) features of the layers of `part` behind the cached ones."""
    shape = (*features.shape[:2], *part.output_shape[1:])
    check_memory(f"features.views {len(features)}", 2 * math.prod(shape), "lower features.views")
    out = np.empty(shape, np.float16)
    for view, images in enumerate(features):
        for start in range(0, len(images), 64):
            batch = np.ascontiguousarray(images[start : start + 64], np.float32)
            out[view, start : start + 64] = part.predict_on_batch(batch)
    return out
