"""Experiments run in the workspace or in the queue's own folders; all are in one store."""

import json
import shlex

import pytest
from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML

RATES = {0.0004, 0.0006, 0.0011}
SWEEP = {
    "model": "vgg16",
    "variants": {
        "a little": {"vgg16": {"learning_rate": 0.0011}},
    },
}


def test_direct_and_queued_experiments_are_in_the_store_of_the_repository(committed):
    rate = "vgg16.learning_rate"
    committed.run("dvc", "exp", "run", "--name", "direct", "-S", f"{rate}=0.0004", "train_vgg16")
    committed.run("dvc", "exp", "run", "--queue", "-S", f"{rate}=0.0006", "train_vgg16")
    YAML().dump(SWEEP, committed.folder / "studies/rates.yaml")
    committed.run("python", "pipeline/study.py", "rates", "--count", "1", "--queue")
    committed.run("dvc", "exp", "run", "--run-all")

    names = set(committed.run("dvc", "exp", "list", "--name-only").stdout.split())
    client = MlflowClient(f"sqlite:///{committed.folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'convlens'")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.data.tags["dvc.exp"] for run in runs} == names
    assert {"direct", "a-little-seed-1"} < names
    assert {float(run.data.params[rate]) for run in runs} == RATES
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len({frozenset(run.data.params) for run in runs}) == 1  # the columns of one table
    assert all({"loss", "val_accuracy"} <= set(run.data.metrics) for run in runs)

    difference = json.loads(committed.run("dvc", "params", "diff", "--json", "HEAD").stdout)
    assert difference["params.yaml"][rate]["new"] == 0.0004
    assert "models/vgg16/metrics.json" in committed.run("dvc", "metrics", "diff", "HEAD").stdout


@pytest.mark.parametrize("name", ["photos-full", "tutorial"])
def test_the_overrides_of_a_recipe_make_it_an_experiment(committed, name):
    params = committed.folder / "params.yaml"
    committed.run("git", "checkout", "params.yaml")
    words = shlex.split(committed.run("python", "pipeline/recipe.py", name, "--overrides").stdout)
    committed.run("dvc", "exp", "run", "--queue", *words)
    queued = committed.run("git", "show", "refs/exps/celery/stash:params.yaml").stdout
    committed.run("python", "pipeline/recipe.py", name)
    yaml = YAML(typ="safe")
    assert yaml.load(queued) == yaml.load(params)
    committed.run("dvc", "queue", "remove", "--all")
    committed.run("git", "checkout", "params.yaml")
