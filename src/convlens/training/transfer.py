"""A head on the cached features of a base, then perhaps the base's last layers with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data.dataset import CachedViews, Split, load_split
from convlens.data.space import check_memory
from convlens.errors import InputError
from convlens.models import backbone
from convlens.params import BaseParams
from convlens.runtime import Runtime
from convlens.training.checkpoint import Checkpoint, History, fingerprint
from convlens.training.features import settings
from convlens.training.fit import OnEpoch, fit
from convlens.training.results import write

if TYPE_CHECKING:
    import keras


def train(
    net: str,
    params: BaseParams,
    runtime: Runtime,
    prepared: Path,
    base_weights: Path,
    cached: Path,
    out: Path,
    *,
    checkpoints: Path | None = None,
    on_epoch: Sequence[OnEpoch] = (),
    stop_after: int | None = None,
) -> None:
    """Train a head on `cached` features, then, if asked, the base's layers behind them with it.

    The whole net is written to `out`. `stop_after` counts the epochs of both.
    """
    split, held_out = load_split(prepared, "train"), load_split(prepared, "validation")
    how = settings(cached)
    base = backbone.base(net, base_weights, how.preprocessing, split.images.shape[1])
    start, last = backbone.maps_of(base, how.layer.get(net)), base.output
    model = backbone.whole(base, params, len(split.classes))
    views = CachedViews(
        _read(cached, "train", len(split)), split.labels, split.classes, params.seed
    )
    validation = replace(held_out, images=_read(cached, "validation", len(held_out))[0])
    known = {net: params.model_dump(), "features": how.model_dump(), "runtime": runtime.record()}
    data = (views.features, views.labels, validation.images, validation.labels)
    mark = fingerprint(known, data) if checkpoints else ""
    done: list[Checkpoint] = []

    def phase(
        source: CachedViews, plain: Split, maps: Any, how: BaseParams, most: int | None
    ) -> History:
        part = backbone.between(maps, model.output, runtime.policy)
        _freeze_statistics(part)
        checkpoint = Checkpoint(checkpoints, f"{len(done)}-{mark}") if checkpoints else None
        rows = fit(
            part, source, plain, how, checkpoint=checkpoint, on_epoch=on_epoch, stop_after=most
        )
        backbone.copy_weights(part, model)
        done.extend([checkpoint] if checkpoint else [])
        return rows

    if start is last:
        history = phase(views, validation, last, params, stop_after)
    else:
        last = model.get_layer(params.pooling).output  # an average is small beside its maps
        rest = backbone.between(start, last, runtime.policy)
        ready = replace(views, features=_through(rest, views.features))
        ready_validation = replace(validation, images=_through(rest, validation.images[None])[0])
        history = phase(ready, ready_validation, last, params, stop_after)
    more = None if stop_after is None else stop_after - params.epochs
    if params.fine_tune.epochs and (more is None or more > 0):
        tuning = params.model_copy(update=params.fine_tune.model_dump() | {"warmup_epochs": 0.0})
        tuned = phase(views, validation, start, tuning, more)
        history += [row | {"epoch": row["epoch"] + params.epochs} for row in tuned]
    write(out, model, history, runtime, split.classes)
    for checkpoint in done:
        checkpoint.remove()


def _freeze_statistics(part: keras.Model) -> None:
    """Keep BatchNormalization as ImageNet left it: a few photos would spoil its averages."""
    import keras

    for layer in part.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


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
