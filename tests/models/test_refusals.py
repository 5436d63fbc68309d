"""Anybody's model file: what can't be loaded is refused by name, and nobody's file is to go."""

import keras
import numpy as np
import pytest

from convlens.errors import InputError
from convlens.models import keras_file

layers = keras.layers


class Mine(layers.Layer):
    def call(self, x):
        return x * 2


class Subclassed(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def mine(x):
    return x * 2


def net(*first):
    return keras.Sequential([keras.Input((4, 4, 3)), *first, layers.Flatten(), layers.Dense(2)])


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 4), np.float32))
    return model


def refusal(path):
    with pytest.raises(InputError) as caught:
        keras_file.load(path)
    assert "make repro" not in caught.value.fix
    assert "remove" not in caught.value.fix
    assert "--trust" not in str(caught.value)
    assert "safe_mode" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: net(layers.Lambda(lambda x: x / 255, name="scale")), "scale (Lambda)"),
        (lambda: net(net(layers.Lambda(mine, name="deep"))), "deep (Lambda)"),
        (lambda: net(Mine(name="my_layer")), "my_layer (Mine)"),
        (lambda: net(layers.Conv2D(2, 1, activation=mine)), "mine (a function)"),
        (subclassed, "Subclassed"),
    ],
    ids=["lambda", "nested lambda", "layer", "activation", "model"],
)
def test_code_and_foreign_classes_are_refused_by_name(tmp_path, build, found, suffix):
    path = tmp_path / f"my{suffix}"
    build().save(path)
    refused = refusal(path)
    assert found in refused.found
    assert "convlens.Classifier(model)" in refused.fix


def test_a_registered_layer_loads(tmp_path):
    path = tmp_path / "my.keras"
    net(Mine(name="my_layer")).save(path)
    with keras.saving.custom_object_scope({"Mine": Mine}):
        assert keras_file.load(path).get_layer("my_layer")


def test_both_formats_give_the_same_net(tmp_path):
    model = net(layers.Conv2D(2, 3, activation="gelu"))
    for name in ("my.keras", "my.h5"):
        model.save(tmp_path / name)
        loaded = keras_file.load(tmp_path / name)
        assert keras_file.weights_digest(loaded) == keras_file.weights_digest(model)
        assert keras_file.is_hdf5(tmp_path / name) == (name == "my.h5")


def test_what_is_no_model_is_told_apart(tmp_path):
    model = net()
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "a.h5")
    model.save_weights(tmp_path / "only.weights.h5")
    (tmp_path / "folder").mkdir()
    whole = {name: (tmp_path / name).read_bytes() for name in ("a.keras", "a.h5")}
    contents = {
        "cut.keras": whole["a.keras"][:-100], "cut.h5": whole["a.h5"][:-100],
        "text.keras": b"rubbish", "wrong.keras": whole["a.h5"], "wrong.h5": whole["a.keras"],
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    said = {
        "missing.keras": "no such file", "folder": "SavedModel", "only.weights.h5": "weights alone",
        "cut.keras": "cut off", "cut.h5": "damaged", "text.keras": "neither",
        "wrong.keras": "a .h5 file", "wrong.h5": "a .keras file",
    }  # fmt: skip
    for name, part in said.items():
        assert part in refusal(tmp_path / name).found, name
    assert "rename it to wrong.h5" in refusal(tmp_path / "wrong.keras").fix


@pytest.mark.parametrize("content", [None, b"rubbish"])
def test_only_the_pipelines_own_models_are_made_by_the_pipeline(tmp_path, content):
    path = tmp_path / "models/convnet/model.keras"
    path.parent.mkdir(parents=True)
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match="make repro"):
        keras_file.load(path)
