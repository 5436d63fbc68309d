"""What an MLflow client reads back after results were projected onto a store."""

import re
import sqlite3
import subprocess

import pytest
from PIL import Image

from convlens import tracking
from convlens.files import read_csv, write_csv


def runs(client):
    experiment = client.get_experiment_by_name("convlens")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


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


def test_model_run_holds_everything(outputs, client):
    outputs.data()
    outputs.train()
    outputs.evaluate()
    outputs.explain()
    outputs.report()
    run_id = outputs.sync("convnet")
    read = client()
    run = read.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "convnet · drawn · 0.750"
    assert run.info.end_time - run.info.start_time == 1500  # three epochs of half a second
    assert run.data.params["convnet.learning_rate"] == str(outputs.params.convnet.learning_rate)
    assert run.data.params["data.split.train"] == str(outputs.params.data.split.train)
    assert not any(key.startswith("vgg16") for key in run.data.params)
    loss = read.get_metric_history(run_id, "loss")
    assert [(m.step, m.value) for m in loss] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert run.data.metrics["test_accuracy_low"] == 0.5
    assert run.data.tags["convlens.model"] == outputs.WEIGHTS
    assert run.data.tags["data.digest"] == outputs.DATA
    assert run.data.tags["precision"] == "float32"
    assert "dvc repro evaluate@convnet" in run.data.tags["mlflow.note.content"]
    assert [i.dataset.digest for i in run.inputs.dataset_inputs] == [outputs.DATA[:12]]
    assert [m.model_id for m in run.outputs.model_outputs]
    assert run.data.metrics["explain_energy_animal"] == 0.7
    assert "convlens.process" not in run.data.tags
    stored = files(read, run_id)
    assert {"evaluation/confusion.png", "evaluation/metrics.json", "history.csv"} <= set(stored)
    grid = [name.split("+")[0] for name in stored if name.endswith("compressed.webp")]
    assert grid == [
        f"images/{key}" for key in ("curves", "evaluation~confusion", "explain~heatmaps~cat_0")
    ]


def test_model_is_packed_without_pickle(outputs, client, tmp_path):
    outputs.data()
    outputs.train()
    run_id = outputs.sync("convnet")
    model_id = client().get_run(run_id).outputs.model_outputs[0].model_id
    assert client().get_logged_model(model_id).status == "READY"
    packed = tmp_path / "mlartifacts" / "models" / model_id / "artifacts"
    assert (packed / "artifacts" / "model.keras").read_bytes() == outputs.WEIGHTS.encode()
    assert (packed / "code" / "convlens" / "tracking" / "serving.py").exists()
    assert not list(packed.rglob("*.pkl"))
    needs = (packed / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z]+==[\d.]+", line) for line in needs)


def test_second_projection_changes_nothing(outputs):
    outputs.data()
    outputs.train()
    outputs.evaluate()
    run_id = outputs.sync("convnet")
    dump = snapshot(outputs)
    assert outputs.sync("convnet") == run_id
    assert snapshot(outputs) == dump


def test_another_clone_without_wall_times_adds_no_second_curve(outputs, client):
    outputs.data()
    outputs.train()
    run_id = outputs.sync("convnet")
    folder = outputs.root / "models" / "convnet"
    rows = read_csv(folder / "history.csv")
    for row in rows:
        del row["seconds"]
    write_csv(folder / "curves.csv", list(rows[0]), rows)
    (folder / "history.csv").unlink()
    assert outputs.sync("convnet") == run_id
    assert len(client().get_metric_history(run_id, "loss")) == 3


def snapshot(outputs):
    with sqlite3.connect(outputs.root / "mlflow.db") as database:
        rows = list(database.iterdump())
    stored = sorted((outputs.root / "mlartifacts").rglob("*"))
    return rows, [(path, path.stat().st_mtime_ns) for path in stored]


def test_evaluation_is_added_to_the_run_of_its_model(outputs, client):
    outputs.data()
    outputs.train()
    run_id = outputs.sync("convnet")
    assert "test_accuracy" not in client().get_run(run_id).data.metrics
    outputs.evaluate()
    assert outputs.sync("convnet") == run_id
    run = client().get_run(run_id)
    assert run.data.metrics["test_accuracy"] == 0.75
    assert len(client().get_metric_history(run_id, "loss")) == 3
    outputs.evaluate(accuracy=0.5)
    outputs.sync("convnet")
    assert client().get_run(run_id).data.metrics["test_accuracy"] == 0.5
    assert client().get_run(run_id).info.run_name == "convnet · drawn · 0.500"


def test_report_of_the_model_before_is_not_mixed_in(outputs, client):
    outputs.data()
    outputs.train()
    outputs.evaluate()
    outputs.report()
    first = outputs.sync("convnet")
    outputs.train(weights="b" * 64)
    second = outputs.sync("convnet")
    assert first != second
    assert "test_accuracy" not in client().get_run(second).data.metrics
    assert "evaluation/confusion.png" not in files(client(), second)
    assert files(client(), second, "images") == []
    assert len(files(client(), first, "images")) == 4  # two figures, each with its thumbnail
    assert client().get_run(first).data.metrics["test_accuracy"] == 0.75


def test_rebuilt_run_names_the_parameters_of_its_time(outputs, client, monkeypatch):
    outputs.data()
    outputs.train()
    run_id = outputs.sync("convnet")
    seed = outputs.params.convnet.seed
    changed = outputs.params.convnet.model_copy(update={"seed": seed + 1})
    outputs.params = outputs.params.model_copy(update={"convnet": changed})
    new = f"sqlite:///{outputs.root / 'new' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", new)
    rebuilt = outputs.sync("convnet")
    assert rebuilt != run_id
    assert client(new).get_run(rebuilt).data.params["convnet.seed"] == str(seed)


def test_changed_figure_replaces_the_old_one_in_the_grid(outputs, client):
    outputs.data()
    outputs.train()
    outputs.report(level=0)
    run_id = outputs.sync("convnet")
    before = files(client(), run_id, "images")
    outputs.report(level=255)
    outputs.sync("convnet")
    assert files(client(), run_id, "images") == before
    stored = outputs.root / "mlartifacts" / run_id / "artifacts" / before[-1]
    with Image.open(stored) as picture:
        assert picture.convert("L").getpixel((0, 0)) == 255
    (outputs.root / "reports" / "convnet" / "curves.png").unlink()
    outputs.sync("convnet")
    assert files(client(), run_id, "images") == before  # nothing says that it is wrong now


def test_grid_names_are_those_of_log_image(outputs, client):
    outputs.data()
    run_id = outputs.sync("data")
    ours = files(client(), run_id, "images")
    read = client()
    elsewhere = read.create_experiment("theirs", (outputs.root / "theirs").as_uri())
    other = read.create_run(elsewhere).info.run_id
    read.log_image(other, Image.new("L", (4, 4)), key="data/classes", step=0)
    theirs = files(read, other, "images")
    shape = re.compile(r"(?<=timestamp\+)\d+\+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert [shape.sub("X", name) for name in ours] == [shape.sub("X", name) for name in theirs]
    assert all(shape.search(name) for name in ours)
    assert read.get_run(run_id).data.tags["mlflow.loggedImages"] == str(
        read.get_run(other).data.tags["mlflow.loggedImages"]
    )


def test_queue_projects_onto_the_store_of_the_repository(outputs, client, monkeypatch, tmp_path):
    elsewhere = tmp_path / "queue"
    outputs.root = elsewhere
    outputs.data()
    outputs.train()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    run_id = outputs.sync("convnet")
    outputs.root = tmp_path
    run = client().get_run(run_id)
    assert run.info.run_name == "convnet · drawn · not evaluated · brave-newt"
    assert run.data.tags["dvc.exp"] == "brave-newt"
    assert not (elsewhere / "mlflow.db").exists()


def test_commit_and_uncommitted_changes_are_recorded(outputs, client, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "s3cr3t-value")
    code = outputs.root / "code.py"
    git = ["git", "-C", str(outputs.root), "-c", "user.name=t", "-c", "user.email=t@t"]
    code.write_text("a = 1\n")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "code.py"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    code.write_text("a = 2  # s3cr3t-value https://me:pass@host/x\n")
    outputs.data()
    run_id = outputs.sync("data")
    tags = client().get_run(run_id).data.tags
    assert tags["git.commit"] == head.stdout.strip()
    assert tags["git.dirty"] == "true"
    diff = (outputs.root / "mlartifacts" / run_id / "artifacts" / "uncommitted.diff").read_text()
    assert "+a = 2  # *** https://***@host/x" in diff


def test_mlflow_run_id_of_the_environment_is_ignored(outputs, monkeypatch):
    outputs.data()
    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    assert outputs.sync("data") != "f" * 32


@pytest.mark.parametrize("name", tracking.NAMES)
def test_every_name_is_projected(outputs, name):
    outputs.data()
    outputs.train("convnet")
    outputs.train("vgg16", weights="c" * 64)
    assert outputs.sync(name)
