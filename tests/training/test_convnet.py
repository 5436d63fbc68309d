"""The convnet: the tutorials' layers, a training that learns, repeats and resumes."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convlens.data.dataset import AugmentedImages, load_split
from convlens.errors import InputError
from convlens.evaluation.evaluate import evaluate_model
from convlens.evaluation.predict import logits
from convlens.files import read_csv, read_json
from convlens.models import convnet, keras_file
from convlens.training.checkpoint import Checkpoint, fingerprint
from convlens.training.convnet import train
from convlens.training.fit import fit
from convlens.training.fused import training_form


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_the_tutorials_net_layer_by_layer(real):
    model = convnet.build(real.convnet, 150)
    assert model.count_params() == 3_453_121
    sides = [layer.output.shape[1] for layer in model.layers if layer.output.ndim == 4][2:]
    assert sides == [148, 74, 72, 36, 34, 17, 15, 7]
    assert model.get_layer("flatten").output.shape == (None, 6272)


def test_preprocessing_is_inside_and_takes_pixels(real):
    for input_range, expected in (("0..1", (0, 1)), ("-1..1", (-1, 1))):
        params = real.convnet.model_copy(update={"input_range": input_range})
        scale = convnet.build(params, 64).get_layer("rescaling")
        np.testing.assert_allclose(scale(np.array([0.0, 255.0])), expected, atol=1e-6)


def test_it_learns_and_evaluation_says_what_training_said(
    tmp_path, prepared, small_convnet, real, machine
):
    params = small_convnet.model_copy(update={"epochs": 10, "ema": 0.9})
    train(params, machine, prepared, tmp_path)
    reported = read_json(tmp_path / "metrics.json")
    assert reported["val_accuracy"] >= 0.9
    mirror = real.evaluate.model_copy(update={"mirror": True})
    evaluate_model(
        tmp_path, prepared, tmp_path / "evaluation", mirror, machine, split_name="validation"
    )
    found = read_json(tmp_path / "evaluation/metrics.json")
    assert found["accuracy"] == pytest.approx(reported["val_accuracy"], abs=1e-3)
    assert found["log_loss"] == pytest.approx(reported["val_loss"], abs=1e-3)
    assert found["model"] == reported["weights_sha256"]
    net = keras_file.with_policy(keras_file.load(tmp_path / "model.keras"), machine.policy)
    split = load_split(prepared, "validation")
    both = [logits(net, x) for x in (split.images, np.flip(split.images, axis=2).copy())]
    right = np.mean(both, axis=0).argmax(axis=1) == split.labels
    assert found["mirror_accuracy"] == pytest.approx(right.mean())
    last = read_csv(tmp_path / "curves.csv")[-1]
    assert float(last["val_accuracy"]) == pytest.approx(reported["val_accuracy"])


class Killed(BaseException):
    """Stands for a process that ends between two epochs."""


def test_a_killed_training_continues_to_the_same_bits(tmp_path, prepared, small_convnet, machine):
    split, validation = load_split(prepared, "train"), load_split(prepared, "validation")
    source = AugmentedImages(split, small_convnet.augment, 1)

    def run(checkpoint=None, kill_after=None):
        def listen(row):
            if row["epoch"] == kill_after:
                raise Killed

        model = convnet.build(small_convnet, 48, machine.policy)
        form = training_form(model)
        history = fit(
            form, source, validation, small_convnet, checkpoint=checkpoint, on_epoch=[listen]
        )
        return keras_file.weights_digest(model), [r["val_loss"] for r in history]

    checkpoint = Checkpoint(tmp_path, fingerprint({"a": 1}, []))
    with pytest.raises(Killed):
        run(checkpoint, kill_after=2)
    assert run(checkpoint) == run()
    # killed after the last epoch, before the results: nothing is trained again
    assert run(checkpoint) == run()


KILLED = """
import sys
from pathlib import Path
from convlens import params, runtime
from convlens.training.convnet import train
p = params.load(Path("params.yaml"))
small = p.convnet.model_copy(update={"epochs": 6, "batch_size": 16, "seed": int(sys.argv[1])})
prepared, checkpoints, out = map(Path, sys.argv[2:])
said = lambda row: print(int(row["epoch"]), row["loss"], row["seconds"], flush=True)
machine = runtime.configure(p.runtime)
train(small, machine, prepared, out, checkpoints=checkpoints, on_epoch=[said])
"""


def test_a_training_killed_by_the_system_resumes_and_a_changed_one_starts_afresh(
    tmp_path, prepared, root
):
    def start(seed, checkpoints, out):
        folders = map(str, (prepared, tmp_path / checkpoints, tmp_path / out))
        command = [sys.executable, "-c", KILLED, str(seed), *folders]
        return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)

    killed = start(1, "kept", "out")
    before = [killed.stdout.readline() for _ in range(3)]
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "out").exists()

    other, _ = start(2, "kept", "other").communicate()
    again, _ = start(1, "kept", "out").communicate()
    whole, _ = start(1, "new", "whole").communicate()
    # An epoch that was trained twice would not have taken the same time to the millisecond.
    assert again.splitlines(keepends=True)[:3] == before
    assert not set(other.splitlines()) & set(again.splitlines())
    assert len(again.splitlines()) == len(whole.splitlines()) == 6
    for name in ("model.keras", "curves.csv", "metrics.json"):
        assert digest(tmp_path / "out" / name) == digest(tmp_path / "whole" / name), name
    assert list((tmp_path / "kept").iterdir()) == []


def test_predictions_differ_little_between_precisions(prepared, real):
    images = load_split(prepared, "test").images
    exact = convnet.build(real.convnet, 48, "float32")
    fast = keras_file.with_policy(exact, "mixed_bfloat16")
    z, z_fast = logits(exact, images)[:, 1], logits(fast, images)[:, 1]
    assert 0 < np.abs(z - z_fast).max() < 0.02 * np.ptp(z) + 0.005
    p, p_fast = (1 / (1 + np.exp(-x)) for x in (z, z_fast))
    assert np.abs(p - p_fast).max() < 0.01


def test_another_fingerprint_or_a_corrupt_file_starts_afresh(tmp_path, small_convnet):
    model = convnet.build(small_convnet, 48)
    model.compile(optimizer="adam", loss="mse")
    model.optimizer.build(model.trainable_variables)
    good = Checkpoint(tmp_path, fingerprint({"epochs": 1}, []))
    good.save(model, [{"epoch": 1}])
    assert good.restore(model) == [{"epoch": 1}]
    other = Checkpoint(tmp_path, fingerprint({"epochs": 2}, []))
    assert other.restore(model) == []
    good.path.rename(other.path)
    assert other.restore(model) == []  # the name says one thing, the content another
    good.save(model, [{"epoch": 1}])
    good.path.write_bytes(good.path.read_bytes()[:-5000])
    assert good.restore(model) == []
    assert not good.path.exists()


def test_the_fingerprint_knows_settings_and_data():
    data = np.arange(6)
    assert fingerprint({"a": 1}, [data]) == fingerprint({"a": 1}, [data.copy()])
    assert fingerprint({"a": 2}, [data]) != fingerprint({"a": 1}, [data])
    assert fingerprint({"a": 1}, [data + 1]) != fingerprint({"a": 1}, [data])


def test_a_loss_that_is_not_finite_stops_with_epoch_rate_and_checkpoint(
    tmp_path, prepared, small_convnet, machine
):
    wild = small_convnet.model_copy(
        update={"learning_rate": 1e30, "schedule": "constant", "warmup_epochs": 0.0}
    )
    with pytest.raises(InputError, match=r"epoch \d, step \d(.|\n)*1e\+30(.|\n)*checkpoint"):
        train(wild, machine, prepared, tmp_path, checkpoints=tmp_path / "checkpoints")
    assert not (tmp_path / "model.keras").exists()
