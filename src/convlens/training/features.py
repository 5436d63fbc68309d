"""The frozen base run once over K views of each image, kept on disk in float16.

Running the base costs up to 30 GFLOP an image and a head costs nothing beside it, so views are
drawn once and every training of a head reads them from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data import augment
from convlens.data.dataset import Split, load_split
from convlens.data.space import check_space
from convlens.engines import Batch, Engine, survived
from convlens.engines.local import LOCAL
from convlens.errors import InputError
from convlens.files import atomic, read_json, write_json
from convlens.models import backbone
from convlens.params import FeaturesParams
from convlens.progress import Progress, silent
from convlens.runtime import Runtime
from convlens.training.memory import check_forward_batch

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

SETTINGS = "features.json"


def extract_features(
    net: str,
    params: FeaturesParams,
    runtime: Runtime,
    prepared: Path,
    base_weights: Path,
    out: Path,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> None:
    """Write `out`/train.npy with K views of each image and `out`/validation.npy with one.

    features.json says what they are.
    """
    image_size = load_split(prepared, "train").images.shape[1]
    whole = backbone.base(net, base_weights, params.preprocessing, image_size)
    maps = backbone.maps_of(whole, params.layer.get(net))
    base = backbone.between(whole.input, maps, runtime.policy)
    for name, views in (("train", params.views), ("validation", 1)):
        extract(
            base, load_split(prepared, name), out / f"{name}.npy", params,
            views=views, what=f"features of {name}", progress=progress, engine=engine,
        )  # fmt: skip
    write_json(out / SETTINGS, {"net": net, "features": params.model_dump()})


def settings(cached: Path) -> FeaturesParams:
    """Return how the features in `cached` were made; raises InputError if that is not known."""
    try:
        return FeaturesParams.model_validate(read_json(cached / SETTINGS)["features"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            cached / SETTINGS, expected="what stage extract_features wrote", found=str(error),
            fix="run `dvc repro --force extract_features`",
        ) from error  # fmt: skip


def extract(
    base: keras.Model,
    split: Split,
    out: Path,
    params: FeaturesParams,
    *,
    views: int,
    what: str,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> None:
    """Write the features of `views` views of each image: float16 (views, N, h, w, c), .npy.

    View 0 is the plain image; view k is drawn from (`params.seed`, k, image index).

    Raises
    ------
    InputError
        Before the first batch if memory can't hold one, or the disk the result.
    """
    shape = (views, len(split), *base.output_shape[1:])
    check_forward_batch(base, params.batch_size)
    out.parent.mkdir(parents=True, exist_ok=True)
    check_space(out.parent, int(np.prod(shape)) * 2, "lower features.views or free some space")
    blocks = [_block(view, rows) for view, rows in _batches(len(split), views, params.batch_size)]
    made = engine.map(partial(_ViewFeatures, base, split, params), blocks)
    # Written, not memory-mapped: on a full disk a write raises, a map kills the process.
    with atomic(out) as partial_file, partial_file.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        begin = file.tell()
        for number, batch in progress(made, what=what, total=len(blocks), unit="batch"):
            features = survived(batch, blocks[number])["features"]
            if not np.isfinite(features).all():  # the sum of a corrupt base, not of any photo
                raise InputError(
                    out, expected="features within float16's range", found="infinite values",
                    fix="use features.preprocessing caffe and the ImageNet base",
                )  # fmt: skip
            view, row = (int(blocks[number][name][0]) for name in ("view", "row"))
            file.seek(begin + (view * len(split) + row) * features[0].nbytes)
            file.write(features.tobytes())


def _batches(count: int, views: int, size: int) -> Iterator[tuple[int, range]]:
    for view in range(views):
        for start in range(0, count, size):
            yield view, range(start, min(start + size, count))


def _block(view: int, rows: range) -> Batch:
    return {"view": np.full(len(rows), view), "row": np.arange(rows.start, rows.stop)}


class _ViewFeatures:
    """A batch function: {"view", "row"} (n,) to {"features"}, float16 (n, h, w, c).

    All of a batch are of one view, and their rows follow each other.
    """

    def __init__(self, base: keras.Model, split: Split, params: FeaturesParams) -> None:
        self.split, self.params, self.run = split, params, _compiled(base)

    def __call__(self, batch: Batch) -> Batch:
        view, row = int(batch["view"][0]), int(batch["row"][0])
        images = self.split.read(slice(row, row + len(batch["row"])))
        seen = random_views(images, self.params, view, row)
        return {"features": self.run(seen).numpy().astype("<f2")}


def random_views(
    images: NDArray[np.uint8], params: FeaturesParams, view: int, first: int
) -> tf.Tensor:
    """Return one view of each of `images` (N, S, S, 3), float32 in 0..255; view 0 is the image.

    View k is drawn from (`params.seed`, k, image index), of which `first` is the first one's.
    """
    import tensorflow as tf

    if view == 0:
        return tf.cast(images, tf.float32)
    u = augment.draws(params.seed, view, len(images), first)
    views = augment.warp(images, augment.transforms(u, params.augment, images.shape[1]))
    return augment.relight(views, augment.photometric(u, params.augment))


def _compiled(base: keras.Model) -> Any:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *base.input_shape[1:]), tf.float32)

    def forward(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(base(images, training=False), tf.float32)

    return tf.function(forward, input_signature=[signature])
