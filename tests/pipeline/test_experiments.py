"""Experiments run in the workspace or in the queue's own folders; all are in one store."""

import json
import re
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
    committed.run("dvc", "exp", "run", "--name", "direct", "-S", f"{rate}=0.0004", "train@vgg16")
    committed.run("dvc", "exp", "run", "--queue", "-S", f"{rate}=0.0006", "train@vgg16")
    YAML().dump(SWEEP, committed.folder / "studies/rates.yaml")
    committed.run("python", "tools/study.py", "rates", "--count", "1", "--queue")
    committed.run("dvc", "exp", "run", "--run-all", "--jobs", "2")  # two workers of the queue

    refs = committed.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    made_by = {  # provenance travels with each experiment's results
        ref.rsplit("/", 1)[1]: json.loads(
            committed.run("git", "show", f"{ref}:models/vgg16/provenance.json").stdout
        )["tags"]["dvc.exp"]
        for ref in refs
        if "/exec/" not in ref
    }
    names = set(committed.run("dvc", "exp", "list", "--name-only").stdout.split())
    client = MlflowClient(f"sqlite:///{committed.folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'convlens'")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.data.tags["dvc.exp"] for run in runs} == names
    assert {"direct", "a-little-seed-1"} < names
    assert made_by == {name: name for name in names}
    assert {float(run.data.params[rate]) for run in runs} == RATES
    assert {run.info.status for run in runs} == {"FINISHED"}
    # the columns of one table, but for how a run was evaluated, where it was
    trained = [frozenset(k for k in r.data.params if "evaluate." not in k) for r in runs]
    assert len(set(trained)) == 1
    assert all({"loss", "val_accuracy"} <= set(run.data.metrics) for run in runs)

    difference = json.loads(committed.run("dvc", "params", "diff", "--json", "HEAD").stdout)
    assert difference["params.yaml"][rate]["new"] == 0.0004
    assert "models/vgg16/metrics.json" in committed.run("dvc", "metrics", "diff", "HEAD").stdout


def test_another_evaluation_is_another_run_and_back_at_head_nothing_has_changed(committed):
    committed.run("git", "checkout", "--force", "HEAD")
    committed.run("dvc", "checkout", "--force")
    (committed.folder / "docs").mkdir(exist_ok=True)
    sync = ("env", "-C", "docs", "python", "-m", "convlens.cli", "sync")
    said = committed.run(*sync).stdout
    (first,) = re.findall(r"convnet +(\w+)", said)
    client = MlflowClient(f"sqlite:///{committed.folder}/mlflow.db")
    before = client.get_run(first).to_dictionary()
    sure = "evaluate.confidence=0.99"
    committed.run("dvc", "exp", "run", "--name", "sure", "-S", sure, "evaluate@convnet")
    (run,) = client.search_runs(
        [before["info"]["experiment_id"]], "tags.`dvc.exp` = 'sure' and tags.made.evaluation != ''"
    )
    assert run.data.params["evaluate.confidence"] == "0.99"
    assert run.data.tags["convlens.model"] == before["data"]["tags"]["convlens.model"]
    assert run.data.metrics["test_accuracy_low"] < before["data"]["metrics"]["test_accuracy_low"]
    committed.run("git", "checkout", "--force", "HEAD")
    committed.run("dvc", "checkout", "--force")
    assert committed.run(*sync).stdout == said
    assert client.get_run(first).to_dictionary() == before


def test_a_clone_without_data_knows_that_its_lock_is_up_to_date(committed, tmp_path):
    clone = type(committed)(tmp_path / "clone")
    committed.run("git", "clone", "--quiet", ".", str(clone.folder))
    assert "Running stage" not in clone.run("dvc", "repro", "--allow-missing", "--dry").stdout
    clone.change({"evaluate": {"confidence": 0.9}})
    stale = clone.run("dvc", "repro", "--allow-missing", "--dry", check=False)
    assert stale.returncode != 0 or "Running stage" in stale.stdout
    clone.run("git", "checkout", "params.yaml")
    refused = clone.run("python", "-m", "convlens.cli", "sync", check=False)
    assert refused.returncode == 1
    for model in ("convnet", "vgg16"):
        assert f"models/{model}/model.keras is not here: `dvc pull` or" in refused.stderr
    assert not (clone.folder / "mlflow.db").exists()


@pytest.mark.parametrize("name", ["photos-today", "tutorial"])
def test_the_overrides_of_a_recipe_make_it_an_experiment(committed, name):
    params = committed.folder / "params.yaml"
    committed.run("git", "checkout", "params.yaml")
    words = shlex.split(committed.run("python", "tools/recipe.py", name, "--overrides").stdout)
    committed.run("dvc", "exp", "run", "--queue", *words)
    queued = committed.run("git", "show", "refs/exps/celery/stash:params.yaml").stdout
    committed.run("python", "tools/recipe.py", name)
    yaml = YAML(typ="safe")
    assert yaml.load(queued) == yaml.load(params)
    committed.run("dvc", "queue", "remove", "--all")
    committed.run("git", "checkout", "params.yaml")


def test_a_recipe_that_no_option_can_say_is_refused_with_what_to_do(committed):
    refused = committed.run("python", "tools/recipe.py", "photos-joint", "--overrides", check=False)
    assert "vgg16+efficientnet-lite0.weights" in refused.stderr
    assert "recipe.py without --overrides" in refused.stderr
