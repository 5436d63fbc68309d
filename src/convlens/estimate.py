"""How long a recipe will take on this machine: its arithmetic over a measured matrix product.

The pipeline's time is nearly all spent in convolutions, and these run at a steady share of the
machine's best matrix product. So two seconds of measuring say what minutes of work will take,
which is meant to be right within a factor of one and a half.
"""

from __future__ import annotations

import tarfile
import time
from collections.abc import Mapping
from math import prod
from pathlib import Path

from convlens.data.archive import open_archive
from convlens.data.folder import listing
from convlens.data.names import is_photo
from convlens.data.pack import DAMAGED, is_tar
from convlens.errors import InputError
from convlens.evaluation.summary import duration
from convlens.models import convnet, registry
from convlens.params import ConvnetParams, DataParams, Params

Stages = Mapping[str, float]

# What is reached of the matrix product, and seconds that no arithmetic explains. Held against the
# default recipe, first at 150 pixels: 4 min 23 s said and 4 min 30 s taken with AVX-512 (335
# GFLOP/s), 6 min 53 s and 6 min 46 s held to AVX2 (179 GFLOP/s); at 112 pixels on a slow CPU with
# AVX2 (73 GFLOP/s) 8 min 40 s and 7 min 57 s. The depthwise share is of one trial.
BASE_SHARE, DEPTHWISE_SHARE, CONVNET_SHARE = 0.85, 0.25, 0.55
OTHERS_SHARE = 0.32  # of the convnet in the recipes that `make bench` compares with
START_SECONDS, DRAWING_SECONDS, DECODING_SECONDS = 9.0, 0.03, 0.003
TRAINING = 3  # a step's way back costs two ways forward
EXAMPLES = 320  # ways forward of maps, saliencies and the cascade over the examples
_SOURCES = {"cats-and-dogs-small": 3000, "kaggle-cats-dogs": 25_000, "flowers": 3670, "pets": 7390}
_SPLITS = ("train", "validation", "test")


def images(data: DataParams) -> dict[str, int]:
    """Return about how many images each split will have; those of an archive are counted."""
    asked = {name: getattr(data.split, name) for name in _SPLITS}
    if isinstance(data.split.train, int):
        return {
            name: len(data.classes or ("cat", "dog")) * int(size) for name, size in asked.items()
        }
    total = _SOURCES.get(data.source) or _archived(Path(data.archive or ""))
    return {name: round(size * total) for name, size in asked.items()}


def _archived(path: Path) -> int:
    """Return how many photos an archive or folder seems to hold: 0 if it can't be read."""
    try:
        if path.is_dir():
            return len(listing(path).photos)
        if is_tar(path):
            with tarfile.open(path) as packed:
                return sum(map(is_photo, packed.getnames()))
        with open_archive(path) as archive:
            return sum(map(is_photo, archive.namelist()))
    except (InputError, *DAMAGED):  # the stage that reads it says what is wrong
        return 0


def layers(params: Params, net: str, side: int) -> dict[str, float]:
    """Return the GFLOP of each layer of a net, two a multiply-add, for one image of `side` pixels.

    Divided by the share of a matrix product that such a net reaches. Order: first to last.
    """
    import keras

    row = registry.find(net)
    if row is None:
        model = convnet.build(params.convnet, side)
    else:
        photo = keras.Input((side, side, 3))
        model = keras.Model(photo, row.maps(photo, params.features.preprocessing))
    found = {}
    for layer in model.layers:
        kernels = [weights.shape for weights in layer.weights if len(weights.shape) > 1]
        places = prod(layer.output.shape[1:-1])
        found[layer.name] = 2 * places * sum(map(prod, kernels)) / 1e9
    depthwise = any(isinstance(layer, keras.layers.DepthwiseConv2D) for layer in model.layers)
    share = CONVNET_SHARE if row is None else DEPTHWISE_SHARE if depthwise else BASE_SHARE
    return {name: gflop / share for name, gflop in found.items()}


def stages(params: Params, counts: Mapping[str, int], gflops: float) -> dict[str, float]:
    """Return the seconds of each stage of `params` on a machine of `gflops` GFLOP/s.

    `counts` are the images of each split; `gflops` is what `matrix_product` measured.
    """
    every = sum(counts.values())
    seconds = {
        "fetch": every * DRAWING_SECONDS * (params.data.source == "drawn"),
        "prepare": every * DECODING_SECONDS,
    }
    for net in params.nets:
        work = _work(params, counts, net, layers(params, net, params.data.image_size))
        seconds |= {f"{stage}@{net}": gflop / gflops for stage, gflop in work.items()}
    return {name: START_SECONDS + own for name, own in seconds.items()}


def _work(
    params: Params, counts: Mapping[str, int], net: str, cost: Mapping[str, float]
) -> dict[str, float]:
    """Return the GFLOP of each stage of a net whose layers cost `cost`."""
    own, whole = params.of(net), sum(cost.values())
    epoch = TRAINING * counts["train"] + counts["validation"]
    if isinstance(own, ConvnetParams):
        work = {"train": whole * own.epochs * epoch}
    else:
        cached = _until(cost, params.features.layer.get(net))
        once = counts["train"] * params.features.views + counts["validation"]
        behind = (whole - cached) * (once + own.fine_tune.epochs * epoch)
        work = {"extract_features": cached * once, "train": behind}
    work["evaluate"] = whole * counts["test"] * (1 + params.evaluate.mirror)
    work["explain"] = whole * _explained(params) + _filters(params, net, cost)
    return work


def _until(cost: Mapping[str, float], layer: str | None) -> float:
    """Return what the layers cost up to `layer`; all of them without."""
    names = [*cost]
    return sum(cost[name] for name in names[: names.index(layer) + 1 if layer else None])


def _explained(params: Params) -> float:
    """Return how many ways forward a stage `explain` comes to, without filter pictures."""
    frames = 2 + 6 * (params.explain.faithfulness_steps - 1)  # three orders, there and back
    return params.explain.faithfulness_images * (frames + TRAINING) + EXAMPLES


def _filters(params: Params, net: str, cost: Mapping[str, float]) -> float:
    """Return the GFLOP of a net's filter pictures: half the steps are at half the side."""
    wanted = params.explain.filters
    each = sum(_until(cost, layer) for layer in wanted.layers.get(net, []))
    share = (wanted.size / params.data.image_size) ** 2  # of the places that `cost` is for
    return TRAINING * each * share * wanted.count * wanted.steps * (1 + 1 / 4) / 2


def matrix_product(precision: str, seconds: float = 2.0, side: int = 2048) -> float:
    """Return the GFLOP/s of TensorFlow's product of two `side` × `side` matrices, measured."""
    import tensorflow as tf

    draw = tf.random.Generator.from_seed(0).normal((side, side))
    factor = tf.cast(draw, precision)
    product = tf.function(lambda: tf.reduce_sum(tf.cast(factor @ factor, tf.float32)))
    product()
    ends, best = time.perf_counter() + seconds, float("inf")
    while time.perf_counter() < ends:
        begun = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - begun)
    return 2 * side**3 / best / 1e9


def bench_gflop(params: Params) -> float:
    """Return the GFLOP of one round of `make bench` on 2,000 + 1,000 photos, at what is reached.

    Three contenders train the convnet for 3 epochs; two run the base on every view of a fifth of
    the photos for 2 epochs, ConvLens on 5 views once, plain Keras on 384 images twice at 3 sizes.
    """
    small, base = (sum(layers(params, net, 150).values()) for net in ("convnet", "vgg16"))
    convnets = 3 * (TRAINING * 2000 + 1000) * (1 + 2 * CONVNET_SHARE / OTHERS_SHARE)
    bases = 2 * 2 * (400 + 200) + 5 * 2000 + 1000 + 2 * 3 * 384
    return convnets * small + bases * base


def whole_run(params: Params, precision: str) -> str:
    """Measure this machine for two seconds and say how long all stages of `params` will take."""
    gflops = matrix_product(precision)
    return text(stages(params, images(params.data), gflops), gflops, precision)


def text(found: Stages, gflops: float, precision: str) -> str:
    """Return the estimate as one line: the whole, then the four longest stages."""
    longest = sorted(found, key=found.__getitem__, reverse=True)[:4]
    parts = ", ".join(f"{name} {duration(found[name])}" for name in longest)
    whole = duration(sum(found.values()))
    return f"about {whole} here ({gflops:.0f} GFLOP/s in {precision}), most of it: {parts}"
