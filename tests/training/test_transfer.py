"""A head on a base: right preprocessing, cached features equal the whole net, fine-tuning."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from convlens.data import space
from convlens.data.dataset import load_split
from convlens.errors import InputError
from convlens.evaluation.metrics import Scored, log_loss
from convlens.evaluation.predict import logits
from convlens.files import read_csv, read_json, write_json
from convlens.models import backbone, keras_file, vgg16, weights
from convlens.training import features
from convlens.training.transfer import train

SIDE = 48


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base with Keras' own random weights, as a file."""
    net = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    values = {name: tuple(net.get_layer(name).get_weights()) for name in vgg16.CONVOLUTIONS}
    path = tmp_path_factory.mktemp("weights") / "base.npz"
    weights.save(path, values)
    return net, values, path


@pytest.fixture
def small(real):
    head = real.vgg16.model_copy(update={"epochs": 3, "units": 16, "batch_size": 16})
    return head, real.features.model_copy(update={"views": 2, "batch_size": 32})


def test_it_equals_keras_vgg16_with_caffe_preprocessing(base, real, prepared):
    net, values, path = base
    images = load_split(prepared, "test").images[:4].astype(np.float32)
    expected = net(keras.applications.vgg16.preprocess_input(images.copy()))
    whole = backbone.whole(backbone.base("vgg16", path, "caffe", SIDE), real.vgg16, 2)
    found = keras.Model(whole.input, whole.get_layer("block5_pool").output)(images)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(vgg16.base(values, "caffe", SIDE)(images), found)
    tutorials = backbone.base("vgg16", path, "0..1", SIDE)
    np.testing.assert_allclose(tutorials(images), net(images / 255), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("layer", ["block5_pool", "block4_pool"])
def test_the_saved_net_says_of_pixels_what_training_saw_on_features(
    tmp_path, base, small, prepared, prepared_three, machine, layer
):
    if layer == "block4_pool":
        prepared = prepared_three
    _, values, path = base
    head, how = small
    fine = head.fine_tune.model_copy(update={"epochs": 1 if layer == "block4_pool" else 0})
    head = head.model_copy(update={"fine_tune": fine})
    how = how.model_copy(update={"layer": {"vgg16": layer}})
    exact = replace(machine, precision="float32")
    features.extract_features("vgg16", how, exact, prepared, path, tmp_path / "features")
    train("vgg16", head, exact, prepared, path, tmp_path / "features", tmp_path / "out")
    model = keras_file.load(tmp_path / "out/model.keras")
    split = load_split(prepared, "validation")
    z = logits(model, split.images)
    reported = read_json(tmp_path / "out/metrics.json")
    loss = log_loss(Scored(split.labels, z))
    assert loss == pytest.approx(reported["val_loss"], abs=1e-3)
    epochs = [int(row["epoch"]) for row in read_csv(tmp_path / "out/curves.csv")]
    assert epochs == list(range(1, 4 + fine.epochs))
    frozen = model.get_layer("block5_conv3").get_weights()[0]
    moved = not np.array_equal(frozen, values["block5_conv3"][0])
    assert moved == (layer == "block4_pool")
    np.testing.assert_array_equal(
        model.get_layer("block4_conv3").get_weights()[0], values["block4_conv3"][0]
    )


def test_view_0_is_plain_and_the_others_are_not(tmp_path, base, small, prepared, machine):
    _, values, path = base
    _, how = small
    features.extract_features("vgg16", how, machine, prepared, path, tmp_path)
    cached = np.load(tmp_path / "train.npy")
    assert cached.shape == (2, 96, 1, 1, 512)
    assert cached.dtype == np.float16
    assert np.load(tmp_path / "validation.npy").shape[0] == 1
    net = keras_file.with_policy(vgg16.base(values, "caffe", SIDE), machine.policy)
    images = np.ascontiguousarray(load_split(prepared, "train").images[:32])
    plain = np.asarray(net(images), np.float16)
    np.testing.assert_allclose(cached[0, :32], plain, rtol=0.05, atol=0.02)
    assert np.abs(cached[1, :32] - plain).max() > 10 * np.abs(cached[0, :32] - plain).max()


def test_features_that_cannot_fit_the_disk_or_belong_to_other_images_are_refused(
    tmp_path, base, small, prepared, machine, monkeypatch
):
    head, how = small
    with monkeypatch.context() as patched:
        patched.setattr(space.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 1000}))
        with pytest.raises(InputError, match="bytes of free disk"):
            features.extract_features("vgg16", how, machine, prepared, base[2], tmp_path)
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "features.json", {"features": how.model_dump()})
    np.save(tmp_path / "train.npy", np.zeros((1, 5, 1, 1, 512), np.float16))
    with pytest.raises(InputError, match="features of 96 images"):
        train("vgg16", head, machine, prepared, base[2], tmp_path, tmp_path / "out")


def test_batches_and_views_that_cannot_fit_the_memory_are_refused_before_any_work(
    tmp_path, base, small, prepared, machine
):
    head, how = small
    huge = how.model_copy(update={"batch_size": 100_000_000})
    with pytest.raises(InputError, match=r"features\.batch_size 100000000(.|\n)*GiB needed"):
        features.extract_features("vgg16", huge, machine, prepared, base[2], tmp_path / "features")
    assert list(tmp_path.iterdir()) == []
    features.extract_features("vgg16", how, machine, prepared, base[2], tmp_path / "features")
    huge = head.model_copy(update={"batch_size": 1_000_000_000})
    with pytest.raises(InputError, match=r"batch_size 1000000000(.|\n)*GiB needed"):
        train("vgg16", huge, machine, prepared, base[2], tmp_path / "features", tmp_path / "out")
    assert not (tmp_path / "out").exists()


TWICE = """
import sys
from pathlib import Path
from convlens import params, runtime
from convlens.training.features import extract_features
from convlens.training.transfer import train
p = params.changed(params.load(Path("params.yaml")), {
    "features": {"layer": {"vgg16": "block4_pool"}, "views": 2, "batch_size": 32},
    "vgg16": {"epochs": 2, "units": 16, "fine_tune": {"epochs": 1}},
}, "test")
machine = runtime.configure(p.runtime)
prepared, base, out = map(Path, sys.argv[1:])
extract_features("vgg16", p.features, machine, prepared, base, out / "features")
train("vgg16", p.vgg16, machine, prepared, base, out / "features", out)
"""


def test_the_same_seed_gives_identical_files_in_two_processes(tmp_path, base, prepared, root):
    """Block 5 too, which the default run that `make verify` repeats leaves frozen."""
    outs = [tmp_path / name for name in ("one", "two")]
    for out in outs:
        command = [sys.executable, "-c", TWICE, prepared, base[2], out]
        subprocess.run(command, check=True, cwd=root)
    for name in ("features/train.npy", "model.keras", "curves.csv", "metrics.json"):
        one, two = (hashlib.sha256((out / name).read_bytes()).hexdigest() for out in outs)
        assert one == two, name


def test_a_checkpoint_of_another_seed_or_batch_size_is_not_taken(
    tmp_path, base, small, prepared, machine
):
    head, how = small
    features.extract_features("vgg16", how, machine, prepared, base[2], tmp_path / "features")

    class Killed(BaseException):
        pass

    def run(params, kill_after=None):
        told = []

        def listen(row):
            told.append(row["loss"])
            if len(told) == kill_after:
                raise Killed

        folders = (prepared, base[2], tmp_path / "features", tmp_path / "out")
        checkpoints = tmp_path / "checkpoints"
        train("vgg16", params, machine, *folders, checkpoints=checkpoints, on_epoch=[listen])
        return told

    with pytest.raises(Killed):
        run(head, kill_after=2)
    whole = run(head.model_copy(update={"seed": head.seed + 1}))
    assert len(set(whole) | set(run(head))) == 6  # no epoch of one is an epoch of the other
