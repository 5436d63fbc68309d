"""The whole pipeline, really run by DVC in a temporary repository."""

import json
import re
import shutil

import pytest
from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML
from small_repository import Repository

from convlens.files import read_csv, read_json

MODELS = ("convnet", "vgg16")


@pytest.fixture(scope="module")
def ran(ran, tmp_path_factory) -> Repository:
    """A copy that these tests may change, store and all."""
    folder = tmp_path_factory.mktemp("own") / "repository"
    shutil.copytree(ran.folder, folder, ignore=shutil.ignore_patterns("tmp"))
    return Repository(folder)


def test_it_leaves_what_the_design_promises(ran):
    for model in MODELS:
        rows = read_csv(ran.folder / f"models/{model}/history.csv")
        assert list(rows[0]) == [
            "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"
        ]  # fmt: skip
        metrics = read_json(ran.folder / f"reports/{model}/evaluation/metrics.json")
        wanted = "accuracy accuracy_low accuracy_high log_loss roc_auc brier ece n"
        assert set(wanted.split()) <= set(metrics)
        assert metrics["n"] == 32
        predictions = read_csv(ran.folder / f"reports/{model}/evaluation/predictions.csv")
        right = sum(row["correct"] == "1" for row in predictions)
        assert right / len(predictions) == pytest.approx(metrics["accuracy"])
    manifest = read_csv(ran.folder / "data/prepared/manifest.csv")
    assert [row["path"] for row in manifest if row["split"] == "test"] == [
        row["path"] for row in predictions
    ]
    assert (ran.folder / "reports/index.html").stat().st_size > 10_000


def test_nothing_is_left_to_do_and_dvc_shows_both_models(ran):
    assert ran.run("dvc", "status", "-q").returncode == 0
    assert "Data and pipelines are up to date" in ran.run("dvc", "repro").stdout
    shown = ran.run("dvc", "metrics", "show", "--json").stdout
    assert all(f"reports/{model}/evaluation/metrics.json" in shown for model in MODELS)
    page = ran.run("dvc", "plots", "show", "--json").stdout
    for model in MODELS:
        assert f"models/{model}/curves.csv" in page
    assert ran.run("git", "status", "--short", "--ignored=no").stdout.count("??") > 0
    untracked = ran.run("git", "ls-files", "--others", "--exclude-standard").stdout.split()
    assert not [p for p in untracked if p.endswith((".npy", ".keras", ".png", ".db", ".zip"))]


def test_mlflow_reads_back_what_the_files_say(ran):
    client = MlflowClient(f"sqlite:///{ran.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("convlens")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert all(run.info.status == "FINISHED" for run in runs)
    for model in MODELS:
        digest = read_json(ran.folder / f"models/{model}/metrics.json")["weights_sha256"]
        (run,) = [r for r in runs if r.data.tags.get("convlens.model") == digest]
        section = YAML(typ="safe").load(ran.folder / "params.yaml")[model]
        assert run.data.params[f"{model}.epochs"] == str(section["epochs"])
        curve = read_csv(ran.folder / f"models/{model}/curves.csv")
        logged = client.get_metric_history(run.info.run_id, "val_accuracy")
        assert [m.value for m in logged] == pytest.approx([float(r["val_accuracy"]) for r in curve])
        metrics = read_json(ran.folder / f"reports/{model}/evaluation/metrics.json")
        assert run.data.metrics["test_accuracy"] == pytest.approx(metrics["accuracy"])
        assert run.inputs.dataset_inputs


def test_an_edit_of_a_module_concerns_the_stages_that_import_it(ran):
    words = ran.folder / "src/convlens/report/words.py"
    before = words.read_text()
    words.write_text(f"# no reason\n{before}\nMORE = 1\n")
    assert list(json.loads(ran.run("dvc", "status", "--json").stdout)) == ["code"]
    ran.run("dvc", "repro", "code")
    assert list(json.loads(ran.run("dvc", "status", "--json").stdout)) == ["report"]
    words.write_text(before)


def test_another_rate_of_the_head_runs_no_feature_extraction(ran):
    good = (ran.folder / "params.yaml").read_text()
    ran.change({"vgg16": {"learning_rate": 0.0007}})
    told = ran.run("dvc", "repro", "train@vgg16").stdout
    assert re.findall("Running stage '(.*)'", told) == ["train@vgg16"]
    planned = re.findall("Running stage '(.*)'", ran.run("dvc", "repro", "--dry").stdout)
    assert planned == ["evaluate@vgg16", "explain@vgg16"]
    (ran.folder / "params.yaml").write_text(good)
    assert "Running" not in ran.run("dvc", "repro", "train@vgg16").stdout  # from the cache
    assert json.loads(ran.run("dvc", "status", "--json").stdout) == {}


def test_a_wrong_key_stops_the_run_with_one_message_and_no_traceback(ran):
    good = (ran.folder / "params.yaml").read_text()
    (ran.folder / "params.yaml").write_text(good.replace("  epochs: 2\n", "  epochs: two\n", 1))
    result = ran.run("dvc", "repro", check=False)
    (ran.folder / "params.yaml").write_text(good)
    assert result.returncode != 0
    assert "params.yaml: convnet.epochs" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    ran.run("dvc", "repro")
