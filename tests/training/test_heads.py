"""Two classes have one logit, more have one each; both are trained on the same smoothed truth."""

import keras
import numpy as np
import pytest

from convlens.data.dataset import targets
from convlens.errors import InputError
from convlens.evaluation.evaluate import evaluate_model
from convlens.files import read_csv, read_json, write_json
from convlens.models import convnet
from convlens.training.convnet import train
from convlens.training.objective import objective


@pytest.mark.parametrize(("classes", "outputs"), [(2, 1), (3, 3), (102, 102)])
def test_the_number_of_logits(real, classes, outputs):
    model = convnet.build(real.convnet, 48, classes=classes)
    assert model.output_shape == (None, outputs)
    body = convnet.build(real.convnet, 48).count_params() - 513
    assert model.count_params() == body + 513 * outputs


@pytest.mark.parametrize("classes", [2, 5])
def test_the_loss_is_the_cross_entropy_to_the_smoothed_truth(classes):
    inputs = keras.Input((1 if classes == 2 else classes,))
    loss, metrics = objective(keras.Model(inputs, inputs), 0.2)
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, inputs.shape[1])).astype("float32")
    labels = rng.integers(0, classes, 7).astype(np.uint8)
    wanted = targets(labels, classes)
    both = np.concatenate([np.zeros_like(logits), logits], 1) if classes == 2 else logits
    log_probabilities = both - np.log(np.exp(both).sum(1, keepdims=True))
    truth = np.eye(classes)[labels]
    smooth = 0.8 * truth + 0.2 / classes
    expected = -(smooth * log_probabilities).sum(1)
    assert np.mean(loss(wanted, logits)) == pytest.approx(expected.mean(), rel=1e-5)
    for metric in metrics:
        metric.update_state(wanted, logits)
    log_loss, accuracy = (float(metric.result()) for metric in metrics)
    assert log_loss == pytest.approx(-(truth * log_probabilities).sum(1).mean(), rel=1e-5)
    assert accuracy == pytest.approx((both.argmax(1) == labels).mean())


def test_three_classes_are_learned_and_evaluated_under_their_names(
    tmp_path, prepared_three, small_convnet, real, machine
):
    params = small_convnet.model_copy(update={"epochs": 10, "ema": 0.9})
    train(params, machine, prepared_three, tmp_path)
    reported = read_json(tmp_path / "metrics.json")
    assert reported["val_accuracy"] >= 0.9
    assert read_json(tmp_path / "classes.json") == ["fox", "hen", "owl"]
    out = tmp_path / "evaluation"
    evaluate_model(tmp_path, prepared_three, out, real.evaluate, machine, split_name="validation")
    found = read_json(out / "metrics.json")
    assert found["accuracy"] == pytest.approx(reported["val_accuracy"], abs=1e-3)
    assert found["log_loss"] == pytest.approx(reported["val_loss"], abs=1e-3)
    rows = read_csv(out / "predictions.csv")
    said = [f"probability_{name}" for name in ("fox", "hen", "owl")]
    assert list(rows[0]) == ["path", "label", "predicted", "correct", *said]
    for row in rows:
        chances = [float(row[column]) for column in said]
        assert sum(chances) == pytest.approx(1, abs=2e-6)
        assert row["predicted"] == ("fox", "hen", "owl")[int(np.argmax(chances))]
    by_class = read_csv(out / "classes.csv")
    assert [row["class"] for row in by_class] == ["fox", "hen", "owl"]
    assert sum(int(row["support"]) for row in by_class) == len(rows)
    assert {row["class"] for row in read_csv(out / "roc.csv")} == {"fox", "hen", "owl"}

    write_json(tmp_path / "classes.json", ["hen", "fox", "owl"])
    with pytest.raises(InputError, match="fox, hen, owl"):
        evaluate_model(tmp_path, prepared_three, out, real.evaluate, machine)
    write_json(tmp_path / "classes.json", ["hen", "fox"])
    with pytest.raises(InputError, match="names of the model's 3 classes"):
        evaluate_model(tmp_path, prepared_three, out, real.evaluate, machine)
