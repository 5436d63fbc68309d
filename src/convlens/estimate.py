"""How long a recipe will take on this machine: its arithmetic over a measured matrix product.

The pipeline's time is nearly all spent in convolutions, and these run at a steady share of the
machine's best matrix product. So two seconds of measuring say what minutes of work will take,
which is meant to be right within a factor of one and a half.
"""

from __future__ import annotations

import tarfile
import time
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from pathlib import Path

from convlens.data.archive import open_archive
from convlens.data.folder import listing
from convlens.data.names import is_photo
from convlens.data.pack import DAMAGED, is_tar
from convlens.errors import InputError
from convlens.evaluation.summary import duration
from convlens.models import convnet, registry, vgg16
from convlens.params import CONVNET, ConvnetParams, DataParams, Params

Stages = Mapping[str, float]

# What is reached of the matrix product, and seconds that no arithmetic explains. Assumed from
# single trials on two AVX2 cores, not yet held against a whole run on a quiet machine.
BASE_SHARE, CONVNET_SHARE, LEAN_SHARE = 0.85, 0.55, 0.27  # lean: of depthwise convolutions
START_SECONDS, DRAWING_SECONDS, DECODING_SECONDS = 9.0, 0.03, 0.003
TRAINING = 3  # a step's way back costs two ways forward
EXAMPLES = 400  # ways forward of maps, saliencies and the cascade over the examples
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


def convnet_gflop(side: int) -> float:
    """Return the small convnet's way forward for one image of `side` pixels, two a multiply-add."""
    total, width, channels = 0.0, side, 3
    for filters in convnet.FILTERS:
        width -= 2
        total += 2 * 9 * channels * filters * width**2
        width, channels = width // 2, filters
    return (total + 2 * 512 * channels * width**2) / 1e9


def vgg16_gflop(side: int, until: str = "block5_conv3") -> float:
    """Return VGG16's base up to convolution `until`, for one image of `side` pixels."""
    total, width = 0.0, side
    channels = [3, *(n for n, count in vgg16.BLOCKS.values() for _ in range(count))]
    for name, (before, after) in zip(vgg16.CONVOLUTIONS, pairwise(channels), strict=True):
        if name.endswith("_conv1") and name != vgg16.CONVOLUTIONS[0]:
            width //= 2
        total += 2 * 9 * before * after * width**2
        if name == until:
            break
    return total / 1e9


def stages(params: Params, counts: Mapping[str, int], gflops: float) -> dict[str, float]:
    """Return the seconds of each stage of `params` on a machine of `gflops` GFLOP/s.

    `counts` are the images of each split; `gflops` is what `matrix_product` measured.
    """
    side, every = params.data.image_size, sum(counts.values())
    drawn = params.data.source == "drawn"
    work = {"fetch": every * DRAWING_SECONDS * drawn, "prepare": every * DECODING_SECONDS}
    seen = counts["train"] * params.features.views + counts["validation"]
    views = 1 + params.evaluate.mirror
    for net in params.nets:
        cost = image_gflop(net, side)
        if net == CONVNET:
            work[f"train@{net}"] = cost * _epochs(params.convnet, counts) / gflops
        else:
            work[f"extract_features@{net}"] = cost * seen / gflops
            work[f"train@{net}"] = _fine_tuning(params, net, counts) / gflops
        work[f"evaluate@{net}"] = cost * counts["test"] * views / gflops
        work[f"explain@{net}"] = (cost * _explained(params) + _filters(params, net)) / gflops
    return {name: START_SECONDS + seconds for name, seconds in work.items()}


def image_gflop(net: str, side: int) -> float:
    """Return a net's way forward for one image, over the share of the product that it reaches."""
    if net == CONVNET:
        return convnet_gflop(side) / CONVNET_SHARE
    if net == "vgg16":
        return vgg16_gflop(side) / BASE_SHARE
    return sum(
        image_gflop(part, side) if part == "vgg16" else base_gflop(part, side) / LEAN_SHARE
        for part in net.split(registry.JOIN)
    )


def base_gflop(net: str, side: int) -> float:
    """Return the way forward of the convolutions of any net's base, for one image."""
    import keras

    photo = keras.Input((side, side, 3))
    base = registry.find(net)
    total = 0
    for layer in keras.Model(photo, base.maps(photo, "caffe")).layers if base else ():
        places = prod(layer.output.shape[1:3])
        total += sum(2 * places * prod(w.shape) for w in layer.weights if len(w.shape) == 4)
    return total / 1e9


def _epochs(params: ConvnetParams, counts: Mapping[str, int]) -> float:
    return params.epochs * (TRAINING * counts["train"] + counts["validation"])


def _fine_tuning(params: Params, net: str, counts: Mapping[str, int]) -> float:
    """Return the GFLOP behind the cached layer: once for the head, then forth and back an epoch.

    What lies behind it is taken for half of any other net than VGG16.
    """
    own, side = params.of(net), params.data.image_size
    if params.features.layer.get(net) in (None, "block5_pool") or isinstance(own, ConvnetParams):
        return 0.0
    if net == "vgg16":
        behind = (vgg16_gflop(side) - vgg16_gflop(side, "block4_conv3")) / BASE_SHARE
    else:
        behind = image_gflop(net, side) / 2
    once = counts["train"] * params.features.views + counts["validation"]
    each = TRAINING * counts["train"] + counts["validation"]
    return behind * (once + own.fine_tune.epochs * each)


def _explained(params: Params) -> float:
    """Return how many ways forward a stage `explain` comes to, without filter pictures."""
    frames = 2 + 6 * (params.explain.faithfulness_steps - 1)  # three orders, there and back
    return params.explain.faithfulness_images * (frames + TRAINING) + EXAMPLES


def _filters(params: Params, net: str) -> float:
    """Return the GFLOP of VGG16's filter pictures: half the steps are at half the side."""
    wanted = params.explain.filters
    if net != "vgg16":
        return 0.0  # the small net's take no time
    each = sum(vgg16_gflop(wanted.size, layer) for layer in wanted.layers.get("vgg16", []))
    return TRAINING * each * wanted.count * wanted.steps * (1 + 1 / 4) / 2 / BASE_SHARE


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


def bench_gflop() -> float:
    """Return the GFLOP of one round of `make bench` on 2,000 + 1,000 photos, at what is reached.

    Three contenders train the convnet for 3 epochs; two run the base on every view of a fifth of
    the photos for 2 epochs, ConvLens on 5 views once, plain Keras on 384 images twice at 3 sizes.
    """
    convnets = 3 * 3 * (TRAINING * 2000 + 1000) * convnet_gflop(150) / CONVNET_SHARE
    bases = 2 * 2 * (400 + 200) + 5 * 400 + 200 + 2 * 3 * 384
    return convnets + bases * vgg16_gflop(150) / BASE_SHARE


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
