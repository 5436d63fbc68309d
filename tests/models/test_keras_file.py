"""`.keras` files: equal for equal models, loaded without running anything."""

import time

import keras
import numpy as np

from convlens.models import keras_file


def tiny(policy="float32"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 3), name="image")
    x = keras.layers.Conv2D(2, 3, activation="relu", dtype=policy, name="conv1")(inputs)
    x = keras.layers.Flatten(dtype=policy, name="flatten")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32", name="logit")(x), name="t")


def test_equal_models_give_equal_bytes_at_different_times(tmp_path):
    keras_file.save(tiny(), tmp_path / "a.keras")
    time.sleep(1.1)  # the zip's clock has steps of a second or two
    keras_file.save(tiny(), tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_a_model_trained_in_bfloat16_is_saved_in_float32_with_the_same_weights(tmp_path):
    model = tiny("mixed_bfloat16")
    keras_file.save(model, tmp_path / "a.keras")
    loaded = keras_file.load(tmp_path / "a.keras")
    assert loaded.get_layer("conv1").compute_dtype == "float32"
    assert keras_file.weights_digest(loaded) == keras_file.weights_digest(model)
    back = keras_file.with_policy(loaded, "mixed_bfloat16")
    assert back.get_layer("conv1").compute_dtype == "bfloat16"
    assert back.get_layer("logit").compute_dtype == "float32"
    images = np.random.default_rng(0).random((4, 6, 6, 3), np.float32)
    np.testing.assert_allclose(back(images), loaded(images), atol=0.05)
    np.testing.assert_array_equal(back(images), model(images))
