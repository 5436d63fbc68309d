"""What an MLflow client reads back after results were projected onto a store."""

import copy
import re
import sqlite3
import subprocess

import pytest
from PIL import Image

from convlens import tracking
from convlens.errors import InputError

METHOD = ("explain", "method", "layer-cam")


def runs(client):
    experiment = client.get_experiment_by_name("convlens")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def files(client, run_id, folder=None):
    found = []
    for item in client.list_artifacts(run_id, folder):
        found += files(client, run_id, item.path) if item.is_dir else [item.path]
    return sorted(found)


def snapshot(outputs):
    with sqlite3.connect(outputs.root / "mlflow.db") as database:
        rows = list(database.iterdump())
    stored = sorted((outputs.root / "mlartifacts").rglob("*"))
    return rows, [(path, path.stat().st_mtime_ns) for path in stored]


def change(outputs, section, key, value):
    outputs.params = copy.deepcopy(outputs.params)
    outputs.params[section][key] = value


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
    dump = snapshot(outputs)
    assert outputs.sync("convnet") == run_id
    assert snapshot(outputs) == dump


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


def test_provenance_is_of_who_trained_whatever_clone_syncs(outputs, client, monkeypatch, tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    monkeypatch.setenv("MY_API_KEY", "s3cr3t-value")
    (tmp_path / "code.py").write_text("a = 1\n")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "code.py"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    (tmp_path / "code.py").write_text("a = 2  # s3cr3t-value https://me:pass@host/x\n")
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    outputs.data()
    run_id = outputs.all()
    before = client().get_run(run_id).data.tags
    assert before["git.commit"] == head.stdout.strip()
    assert (before["git.dirty"], before["dvc.exp"]) == ("true", "brave-newt")
    diff = tmp_path / "mlartifacts" / run_id / "artifacts/training/uncommitted.diff"
    assert "+a = 2  # *** https://***@host/x" in diff.read_text()
    # Another clone: other commit, clean, another machine, no experiment, nothing but the results.
    subprocess.run([*git, "commit", "-qam", "y"], check=True)
    monkeypatch.delenv("DVC_EXP_NAME")
    monkeypatch.setattr("convlens.runtime.cpu_name", lambda: "another one")
    for path in (tmp_path / ".convlens").rglob("*.json"):
        path.unlink()
    dump = snapshot(outputs)
    assert outputs.sync("convnet") == run_id
    assert snapshot(outputs) == dump
    new = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", new)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mlflow.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    rebuilt = client(new).get_run(outputs.sync("convnet"))
    assert rebuilt.data.tags == before
    assert rebuilt.info.run_name == "convnet · drawn · 0.750 · brave-newt"


def test_results_that_nobody_noted_take_nobody_s_provenance(outputs, client):
    outputs.data()
    run_id = outputs.all()
    for path in (*outputs.root.rglob("provenance.json"), *outputs.root.rglob("provenance/*")):
        path.unlink()
    known = client().get_run(run_id).data.tags["cpu"]
    outputs.sync("convnet")
    assert client().get_run(run_id).data.tags["cpu"] == known
    client().delete_run(run_id)
    unknown = client().get_run(outputs.sync("convnet")).data
    assert "cpu" not in unknown.tags
    assert "Nobody noted" in unknown.tags["mlflow.note.content"]


def test_a_result_that_dvc_brings_back_finds_its_note_again(outputs):
    outputs.data()
    outputs.train()
    folder = outputs.root / "models/convnet"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    outputs.train(weights="b" * 64)
    for name in set(first) - {"provenance.json"}:  # DVC's run cache knows no note
        (folder / name).write_bytes(first[name])
    outputs.lock("train_convnet")
    outputs.sync("convnet")
    assert (folder / "provenance.json").read_bytes() == first["provenance.json"]


def test_parameters_are_those_that_ran(outputs, client):
    outputs.data()
    outputs.all()
    rate = outputs.params["convnet"]["learning_rate"]
    change(outputs, "convnet", "learning_rate", 9.0)  # edited, nothing rerun
    outputs.fresh_store()
    run = client().get_run(outputs.sync("convnet"))
    assert run.data.params["convnet.learning_rate"] == str(rate)


@pytest.mark.parametrize("damage", ["edited", "no stage in dvc.lock"])
def test_files_that_the_lock_does_not_tell_of_are_not_tracked(outputs, damage):
    outputs.data()
    outputs.train()
    if damage == "edited":
        with (outputs.root / "models/convnet/metrics.json").open("a") as file:
            file.write("\n")
    else:
        (outputs.root / "dvc.lock").unlink()
    with pytest.raises(InputError, match=r"metrics\.json"):
        outputs.sync("convnet")


def test_another_explanation_is_another_run_and_the_first_stays(outputs, client, monkeypatch):
    outputs.data()
    first = outputs.all()
    before, held = client().get_run(first).to_dictionary(), dict(outputs.params)
    monkeypatch.setenv("DVC_EXP_NAME", "warm")
    change(outputs, "evaluate", "confidence", 0.99)
    change(outputs, *METHOD)
    second = outputs.evaluate(accuracy=0.7)
    assert "explain.method" not in client().get_run(second).data.params  # not made yet
    assert outputs.explain(energy=0.9) == second != first
    run = client().get_run(second)
    assert run.info.run_name == "convnet · drawn · 0.700 · warm"
    assert run.data.tags["dvc.exp"] == "warm"
    assert run.data.params["explain.method"] == "layer-cam"
    assert run.data.metrics["explain_energy_animal"] == 0.9
    models = [client().get_run(r).outputs.model_outputs[0].model_id for r in (first, second)]
    assert models[0] == models[1]
    monkeypatch.delenv("DVC_EXP_NAME")
    outputs.params = held
    assert outputs.evaluate() == outputs.explain() == first  # back at HEAD
    after = client().get_run(first).to_dictionary()
    assert after["data"]["metrics"] == before["data"]["metrics"]
    assert after["data"]["params"] == before["data"]["params"]
    assert after["info"]["run_name"] == before["info"]["run_name"]


def test_without_an_experiment_the_name_says_what_differs(outputs, client):
    outputs.data()
    outputs.all()
    change(outputs, *METHOD)
    run = client().get_run(outputs.explain())
    assert run.info.run_name == "convnet · drawn · 0.750 · method layer-cam"


def test_a_person_s_words_stay(outputs, client):
    outputs.data()
    run_id = outputs.train()
    client().update_run(run_id, name="the good one")
    outputs.evaluate()
    run = client().get_run(run_id)
    assert run.info.run_name == "the good one"
    assert "0.750" in run.data.tags["mlflow.note.content"]  # not edited: ours goes on
    client().set_tag(run_id, "mlflow.note.content", "blurry, but *good*")
    outputs.explain()
    outputs.sync("convnet")
    run = client().get_run(run_id)
    assert run.info.run_name == "the good one"
    assert run.data.tags["mlflow.note.content"] == "blurry, but *good*"


@pytest.mark.parametrize(
    "missing", ["models/convnet/model.keras", "reports/convnet/explain/heatmaps/cat_0.png"]
)
def test_a_clone_without_the_data_writes_nothing_until_it_is_pulled(outputs, client, missing):
    outputs.data()
    outputs.all()
    outputs.fresh_store()
    path = outputs.root / missing
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(InputError, match=f"{missing}(.|\n)*is not here(.|\n)*dvc pull"):
        outputs.sync("convnet")
    assert client().get_experiment_by_name("convlens") is None
    path.write_bytes(content)
    run = client().get_run(outputs.sync("convnet"))
    assert run.info.run_name == "convnet · drawn · 0.750"
    assert run.outputs.model_outputs


def test_queue_projects_onto_the_store_of_the_repository(outputs, client, monkeypatch, tmp_path):
    outputs.root = tmp_path / "queue"
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    outputs.data()
    run_id = outputs.train()
    assert not (outputs.root / "mlflow.db").exists()
    outputs.root = tmp_path
    run = client().get_run(run_id)
    assert run.info.run_name == "convnet · drawn · not evaluated · brave-newt"


def test_what_a_study_made_elsewhere_knows_the_commit_of_the_repository(
    outputs, client, monkeypatch, tmp_path, tmp_path_factory
):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    outputs.data()
    outputs.root = tmp_path_factory.mktemp("study")  # its folder has no dvc.lock
    (outputs.root / "data").symlink_to(tmp_path / "data")
    outputs.lock = lambda _: None
    run_id = outputs.train()
    assert outputs.evaluate() == run_id
    run = client(f"sqlite:///{tmp_path}/mlflow.db").get_run(run_id)
    assert run.data.tags["git.commit"] == head.stdout.strip()
    assert run.data.params["convnet.seed"] == str(outputs.params["convnet"]["seed"])


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
        assert shown.size == (1200, 400)
        assert shown.getpixel((5, 5)) == (9, 99, 200)


def test_mlflow_run_id_of_the_environment_is_ignored(outputs, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    assert outputs.data() != "f" * 32


@pytest.mark.parametrize("name", tracking.NAMES)
def test_every_name_is_projected(outputs, name):
    outputs.data()
    outputs.train("convnet")
    outputs.train("vgg16", weights="c" * 64)
    assert outputs.sync(name)
