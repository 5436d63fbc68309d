"""Whoever calls the library has afterwards the process that they had before."""

import contextlib
import io
import logging
import os
import random
import signal
import sys
import warnings
from pathlib import Path

import cv2
import keras
import matplotlib as mpl
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageFile
from tensorflow.python.eager import context
from tensorflow.python.framework import config

from colours import NAMES, net, square
from convlens import Classifier, explain, params
from convlens.data import augment, decode
from convlens.explain import faithfulness, filters, saliency
from convlens.gallery import curves, grids, heatmaps, style
from convlens.models import backbone, convnet, keras_file

PNG = io.BytesIO()
Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)).save(PNG, "PNG")
MAPS = np.random.default_rng(0).random((6, 6, 4), np.float32)


@pytest.fixture(autouse=True)
def odd(monkeypatch):
    """Settings that only a caller would choose."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 77_000_000)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(3)
    with mpl.rc_context({"font.size": 7.5, "axes.grid": False}), warnings.catch_warnings():
        warnings.simplefilter("once", ResourceWarning)
        yield
    cv2.setNumThreads(threads)


def state():
    return {
        "Pillow": (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
        "OpenCV": cv2.getNumThreads(),
        "Matplotlib": dict(mpl.rcParams),
        "random": random.getstate(),
        "NumPy": repr(np.random.get_state()),
        "NumPy's errors": np.geterr(),
        "TensorFlow": (
            context.global_seed(), tf.config.threading.get_intra_op_parallelism_threads(),
            config.is_op_determinism_enabled(),
        ),
        "Keras": (
            keras.config.dtype_policy().name, keras.config.floatx(),
            keras.config.image_data_format(),
        ),
        "warnings": list(warnings.filters),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "paths": list(sys.path),
        "signals": [signal.getsignal(end) for end in (signal.SIGINT, signal.SIGTERM)],
        "logging": (logging.getLogger().level, list(logging.getLogger().handlers)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def real(pytestconfig):
    return params.load(pytestconfig.rootpath / "params.yaml")


def _figures(folder):
    photo = np.zeros((30, 40, 3), np.uint8)
    look = heatmaps.Look(MAPS[..., 0], "cat")
    columns = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    history = {key: [0.1, 0.2] for key in columns}
    figures = [
        heatmaps.panels([photo], [look], "heading"), grids.activation_grid(MAPS, "conv"),
        grids.overview({"conv": MAPS}, "heading"), curves.curves(history, "title"),
    ]  # fmt: skip
    for number, figure in enumerate(figures):
        style.save(figure, folder / f"{number}.png")


def _files(real, folder):
    model = convnet.build(real.convnet, 48)
    keras_file.save(model, folder / "model.keras")
    keras_file.load(folder / "model.keras")


NET = net()  # Keras itself draws seeds for new layers


def _library(_, folder):
    NET.save(folder / "my.keras")
    classifier = Classifier.load(folder / "my.keras", classes=NAMES)
    found = explain(classifier, square("red", 4, 20)[None])
    found.save(folder / "seen")
    found._repr_png_()
    saliency.integrated_gradients(classifier, square("red", 4, 20)[None], 0, steps=2)
    filters.ascend(classifier, "find", [0], size=16, steps=2)
    curves_of = faithfulness.removal_curves
    curves_of(
        lambda images: images.mean(axis=(1, 2, 3)), MAPS[..., :3], MAPS[..., 1:], [MAPS[..., 0]], 2
    )


CALLS = {
    "library": _library,
    "decode": lambda *_: decode.decode(PNG.getvalue(), 32),
    "original": lambda *_: decode.original(PNG.getvalue()),
    "glimpse": lambda *_: decode.glimpse(PNG.getvalue()[:900], 32),
    "bad photo": lambda *_: decode.decode(b"rubbish", 32),
    "warp": lambda *_: augment.warp(
        np.zeros((2, 64, 64, 3), np.uint8), np.tile(np.eye(2, 3), (2, 1, 1))
    ),
    "figures": lambda _, folder: _figures(folder),
    "model files": _files,
    "a head on a base": lambda real, _: backbone.whole(
        keras.Model(photo := keras.Input((8, 8, 3)), keras.layers.MaxPooling2D()(photo)),
        real.vgg16, 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_changes_nothing_in_its_caller_s_process(name, real, tmp_path):
    before = state()
    with contextlib.suppress(decode.BadPhotoError):
        CALLS[name](real, tmp_path)
    after = state()
    assert [key for key in before if before[key] != after[key]] == []
