"""What an MLflow client reads back after results were projected onto a store."""

import re

import pytest
from PIL import Image


def files(client, run_id, folder=None):
    found = []
    for item in client.list_artifacts(run_id, folder):
        found += files(client, run_id, item.path) if item.is_dir else [item.path]
    return sorted(found)


def test_nothing_to_project_makes_no_store(outputs):
    (outputs.root / "mlflow.db").unlink()
    assert outputs.sync("convnet") is None
    assert outputs.sync("data") is None
    assert not (outputs.root / "mlflow.db").exists()


def test_model_run_holds_everything(outputs, client, capfd):
    outputs.data()
    run_id = outputs.all()
    assert capfd.readouterr() == ("", "")  # the package never prints, nor what it calls
    read = client()
    run = read.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "convnet · drawn · 0.750"
    assert run.info.end_time - run.info.start_time == 1500  # the stage's seconds
    rate = outputs.params["convnet"]["learning_rate"]
    assert run.data.params["convnet.learning_rate"] == str(rate)
    assert run.data.params["data.split.train"] == str(outputs.params["data"]["split"]["train"])
    assert run.data.params["evaluate.confidence"] == str(outputs.params["evaluate"]["confidence"])
    assert run.data.params["explain.method"] == outputs.params["explain"]["method"]
    assert not any("vgg16" in key for key in run.data.params)
    loss = read.get_metric_history(run_id, "loss")
    assert [(m.step, m.value) for m in loss] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert [m.timestamp - run.info.start_time for m in loss] == [500, 1000, 1500]
    assert run.data.metrics["test_accuracy_low"] == 0.5
    assert run.data.metrics["explain_energy_animal"] == 0.7
    assert run.data.tags["convlens.model"] == outputs.WEIGHTS
    assert run.data.tags["data.digest"] == outputs.DATA
    assert run.data.tags["precision"] == "float32"
    assert "dvc repro evaluate@convnet" in run.data.tags["mlflow.note.content"]
    assert [i.dataset.digest for i in run.inputs.dataset_inputs] == [outputs.DATA[:12]]
    stored = files(read, run_id)
    assert {"evaluation/confusion.png", "explain/metrics.json", "training/curves.csv"} < {*stored}
    grid = [name.split("+")[0] for name in stored if name.endswith("compressed.webp")]
    assert grid == ["images/evaluation~confusion", "images/explain~heatmaps~cat_0"]
    (model,) = run.outputs.model_outputs
    logged = read.get_logged_model(model.model_id)
    assert logged.status == "READY"
    assert {m.key: m.value for m in logged.metrics}["test_accuracy"] == 0.75


def test_model_is_packed_without_pickle(outputs, client, tmp_path):
    outputs.data()
    run_id = outputs.train()
    model_id = client().get_run(run_id).outputs.model_outputs[0].model_id
    packed = tmp_path / "mlartifacts" / "models" / model_id / "artifacts"
    assert (packed / "artifacts" / "model.keras").read_bytes() == outputs.WEIGHTS.encode()
    assert (packed / "code" / "convlens" / "tracking" / "serving.py").exists()
    assert not list(packed.rglob("*.pkl"))
    needs = (packed / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z]+==[\d.]+", line) for line in needs)


def test_second_projection_changes_nothing(outputs):
    outputs.data()
    run_id = outputs.all()
    dump = outputs.snapshot()
    assert outputs.sync("convnet") == run_id
    assert outputs.snapshot() == dump


def test_evaluation_is_added_to_the_run_of_its_model(outputs, client):
    outputs.data()
    run_id = outputs.train()
    assert client().get_run(run_id).info.run_name == "convnet · drawn · not evaluated"
    assert outputs.evaluate() == run_id
    run = client().get_run(run_id)
    assert run.data.metrics["test_accuracy"] == 0.75
    assert run.info.run_name == "convnet · drawn · 0.750"
    assert len(client().get_metric_history(run_id, "loss")) == 3


def test_evaluation_made_again_counts_though_the_clock_was_set_back(outputs, client):
    outputs.data()
    outputs.train()
    run_id = outputs.evaluate(accuracy=0.75)
    note = outputs.root / "reports/convnet/evaluation/provenance.json"
    earlier = {path: path.read_bytes() for path in note.parent.iterdir()}
    note.write_text(re.sub(r'"made": "20', '"made": "21', note.read_text()))  # a century ahead
    assert outputs.evaluate(accuracy=0.5) == run_id
    run = client().get_run(run_id)
    assert run.data.metrics["test_accuracy"] == 0.5
    assert run.info.run_name == "convnet · drawn · 0.500"
    for path, content in earlier.items():  # e.g. a clone that never saw the new one
        path.write_bytes(content)
    outputs.lock("evaluate@convnet")
    outputs.sync("convnet")
    assert client().get_run(run_id).data.metrics["test_accuracy"] == 0.5


def test_report_of_the_model_before_is_not_mixed_in(outputs, client):
    outputs.data()
    first = outputs.all()
    second = outputs.train(weights="b" * 64)
    assert first != second
    assert outputs.sync("convnet") == second
    assert "test_accuracy" not in client().get_run(second).data.metrics
    assert files(client(), second, "evaluation") == []
    assert client().get_run(first).data.metrics["test_accuracy"] == 0.75


def test_big_figures_are_whole_as_files_and_smaller_in_the_grid(outputs, tmp_path):
    path = outputs.figure("data/classes.png")
    outputs.data()
    Image.new("RGB", (3000, 1000), (9, 99, 200)).save(path)
    outputs.fresh_store()
    outputs.lock("prepare")
    run_id = outputs.sync("data")
    stored = tmp_path / "mlartifacts" / run_id / "artifacts"
    assert (stored / "data/classes.png").read_bytes() == path.read_bytes()
    with Image.open(next(stored.glob("images/data~classes*.png"))) as shown:
        assert shown.size == (800, 267)
        assert shown.getpixel((5, 5)) == (9, 99, 200)


def test_mlflow_run_id_of_the_environment_is_ignored(outputs, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    assert outputs.data() != "f" * 32


@pytest.mark.parametrize("name", ["data", "convnet", "vgg16"])
def test_every_name_is_projected(outputs, name):
    outputs.data()
    outputs.train("convnet")
    outputs.train("vgg16", weights="c" * 64)
    assert outputs.sync(name)
