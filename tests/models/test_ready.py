"""The ready model: the shipped numbers, and where its base comes from."""

import re
from importlib.resources import files

import keras
import numpy as np
import pytest

from convlens.models import ready, weight_sources, weights
from convlens.models.vgg16 import BLOCKS


@pytest.fixture(scope="module")
def base():
    """A base of random weights that keep a signal alive."""
    rng, found, channels = np.random.default_rng(0), {}, 3
    for block, (filters, count) in BLOCKS.items():
        for number in range(1, count + 1):
            shape = (3, 3, channels, filters)
            kernel = rng.normal(scale=(2 / (9 * channels)) ** 0.5, size=shape).astype(np.float32)
            found[f"block{block}_conv{number}"] = (kernel, np.zeros(filters, np.float32))
            channels = filters
    return found


def test_its_logit_is_the_head_on_averaged_features_of_keras_vgg16(base, tmp_path):
    rng = np.random.default_rng(1)
    head = ready.Head(rng.normal(size=512).astype(np.float32), 0.5, 64)
    ready.save_head(head, tmp_path / "head.npz")
    with np.load(tmp_path / "head.npz") as stored:
        assert {key: stored[key].shape for key in stored} == {
            "kernel": (512,), "bias": (), "image_size": ()
        }  # fmt: skip
    net = keras.applications.VGG16(
        weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3)
    )
    for name, pair in base.items():
        net.get_layer(name).set_weights(pair)
    images = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    features = np.asarray(net(keras.applications.vgg16.preprocess_input(images.copy())))
    logits = np.asarray(ready.build(base, head)(images))
    np.testing.assert_allclose(logits[:, 0], features @ head.kernel + 0.5, rtol=1e-3)


def test_the_shipped_head_is_513_numbers_and_its_card_keeps_the_promise():
    head = ready.shipped_head()
    assert head.kernel.shape == (512,)
    assert head.kernel.dtype == np.float32
    assert np.isfinite(head.kernel).all()
    assert np.isfinite(head.bias)
    card = files("convlens").joinpath("assets/ready_head.md").read_text(encoding="utf-8")
    (accuracy,) = re.findall(r"\| accuracy \| ([\d.]+)%", card)
    assert float(accuracy) >= 96.0
    assert f"{head.image_size} × {head.image_size} pixels" in card
    for word in ("interval", "Limits", "tools/ready_head.py"):
        assert word in card


def test_the_base_is_taken_from_near_and_fetched_only_if_nothing_intact_is_there(
    base, tmp_path, monkeypatch
):
    fetched = []

    def fetch(path):
        fetched.append(path)
        weights.save(path, base)

    monkeypatch.setattr(weight_sources, "fetch", fetch)
    monkeypatch.setattr(weights, "DIGEST", weights.digest(base))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine, of_pipeline = tmp_path / "cache/convlens/vgg16_base.npz", tmp_path / "base.npz"
    assert ready.base_weights(of_pipeline).keys() == base.keys()
    assert fetched == [mine]
    ready.base_weights(of_pipeline)
    assert fetched == [mine]
    mine.write_bytes(mine.read_bytes()[:1000])
    ready.base_weights(of_pipeline)
    assert fetched == [mine, mine]
    mine.unlink()
    weights.save(of_pipeline, base)
    ready.base_weights(of_pipeline)
    assert fetched == [mine, mine]
