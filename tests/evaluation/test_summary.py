"""Both models in one file and one table."""

import pytest

from convlens.errors import InputError
from convlens.evaluation import summary as module
from convlens.evaluation.summary import closing_table, summary, training_seconds
from convlens.files import write_csv, write_json
from convlens.text import aligned

COLUMNS = ("epoch", "loss")
ROWS = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]


@pytest.fixture
def run(tmp_path):
    counts = {"train": {"cat": 2, "dog": 2}}
    data = {"source": "drawn", "digest": "abc", "image_size": 32, "counts": counts, "ignored": {}}
    write_json(tmp_path / "data/prepared/data.json", data)
    for model, accuracy in (("convnet", 0.9), ("vgg16", 1.0)):
        scores = {"accuracy": accuracy, "accuracy_low": 0.8, "accuracy_high": 0.9996, "n": 40}
        scores |= {"log_loss": 1e-9, "roc_auc": 0.99999, "precision": "float32", "model": "w"}
        write_json(tmp_path / "reports" / model / "evaluation/metrics.json", scores)
        folder = tmp_path / "models" / model
        trained = {"epochs": 2, "parameters": 7, "weights_sha256": "w", "val_loss": 1.0}
        write_json(folder / "metrics.json", trained)
        write_csv(folder / "curves.csv", COLUMNS, ROWS)
        write_csv(
            folder / "history.csv", (*COLUMNS, "seconds"), [r | {"seconds": 41} for r in ROWS]
        )
    return tmp_path


def test_the_summary_holds_both_models_the_data_and_the_versions(run):
    found = summary(run, ("convnet", "vgg16"), 0.9)
    assert list(found["models"]) == ["convnet", "vgg16"]
    assert found["models"]["vgg16"] == {
        "accuracy": 1.0, "accuracy_low": 0.8, "accuracy_high": 0.9996, "n": 40, "log_loss": 1e-9,
        "roc_auc": 0.99999, "precision": "float32", "epochs": 2, "parameters": 7,
        "weights_sha256": "w",
    }  # fmt: skip
    assert found["data"]["digest"] == "abc"
    assert found["confidence"] == 0.9
    assert {"python", "tensorflow", "keras"} <= found["versions"].keys()
    assert summary(run, ("convnet", "vgg16"), 0.9) == found


def test_a_missing_result_is_named_with_what_to_do(run):
    path = run / "reports/vgg16/evaluation/metrics.json"
    path.unlink()
    with pytest.raises(InputError, match="make repro") as error:
        summary(run, ("convnet", "vgg16"), 0.95)
    assert error.value.where == str(path)


def test_the_closing_table_never_rounds_to_perfection(run):
    write_json(run / "reports/summary.json", summary(run, ("convnet", "vgg16"), 0.95))
    header, convnet, vgg16 = closing_table(run)
    assert header[2] == "95 % interval"
    assert convnet == (
        "convnet",
        "90.0 %",
        "80.0 % – > 99.9 %",
        "< 0.0001",
        "> 0.9999",
        "1 min 22 s",
    )
    assert vgg16[1] == "100.0 %"
    lines = aligned([header, convnet, vgg16]).splitlines()
    assert lines[0].index("log loss") == lines[2].index("< 0.0001") == lines[3].index("< 0.0001")


def test_training_time_counts_only_if_it_belongs_to_this_model(run):
    folder = run / "models/convnet"
    assert training_seconds(folder) == 82
    other = [row | {"loss": 0.75} for row in ROWS]
    write_csv(folder / "curves.csv", COLUMNS, other)  # as after `dvc checkout` of another run
    assert training_seconds(folder) is None
    write_csv(folder / "curves.csv", COLUMNS, ROWS[:1])
    assert training_seconds(folder) is None
    (folder / "history.csv").unlink()
    assert training_seconds(folder) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (4.6, "5 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")],
)
def test_durations_read_well(seconds, text):
    assert module.duration(seconds) == text
