"""A study trains each variant over seeds, goes on where it stopped, and draws what it found."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML
from small_repository import ROOT

from convlens import params
from convlens.errors import InputError
from convlens.files import read_csv, read_json, write_json
from convlens.runtime import describe

STUDY = {
    "model": "vgg16",
    "changes": {"vgg16": {"epochs": 1}},
    "variants": {"1 view": {}, "2 views": {"features": {"views": 2}}},
}
SEARCH = {
    "model": "convnet",
    "changes": {"convnet": {"epochs": 4, "ema": 0.0}},
    "trials": 4,
    "grace": 1,
    "ranges": {
        "convnet": {
            "learning_rate": {"choice": [0.0005, 1.0, 1e30]},
            "dropout": {"low": 0.1, "high": 0.5},
        }
    },
}


def tracked(committed):
    """Return the runs of a repository's own store."""
    client = MlflowClient(f"sqlite:///{committed.folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'convlens'")
    return client, client.search_runs([experiment.experiment_id])


def test_a_study_compares_its_variants_and_goes_on_where_it_stopped(committed):
    yaml = YAML()
    yaml.dump(STUDY, committed.folder / "studies/tiny.yaml")
    committed.change({"runtime": {"threads": 1}})
    committed.run("python", "tools/study.py", "tiny", "--count", "1")
    out = committed.folder / "docs/results/tiny.json"
    first = read_json(out)
    write_json(out, first | {"runs": first["runs"][:1]})
    words = ["--count", "2", "--engine", "ray"]
    said = committed.run("python", "tools/study.py", "tiny", *words).stdout
    found = read_json(out)

    rows = [(run["variant"], run["seed"]) for run in found["runs"]]
    assert rows == [("1 view", 1), ("1 view", 2), ("2 views", 1), ("2 views", 2)]
    assert found["runs"][0] == first["runs"][0]  # seconds and all: not run again
    clocks = dict.fromkeys(("seconds", "seconds_features"))
    assert found["runs"][2] | clocks == first["runs"][1] | clocks  # Ray's workers: the same bits
    mean = sum(run["accuracy"] for run in found["runs"][:2]) / 2
    assert found["summary"]["1 view"]["accuracy"]["mean"] == mean
    assert said.splitlines()[-1].startswith("2 views")
    assert (committed.folder / "docs/figures/study_tiny.png").read_bytes()[:4] == b"\x89PNG"

    _, runs = tracked(committed)
    kept = {(r.data.params["features.views"], r.data.params["vgg16.seed"]) for r in runs}
    assert kept == {("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")}
    assert not list((committed.folder / ".convlens/studies").iterdir())


def test_a_search_that_was_killed_goes_on_and_every_trial_is_in_mlflow(committed):
    YAML().dump(SEARCH, committed.folder / "studies/rate.yaml")
    committed.change({"runtime": {"threads": 1, "workers": 1}})
    command = ["python", "tools/study.py", "rate"]
    started = subprocess.Popen(command, cwd=committed.folder, env=committed.environment)
    made = committed.folder / ".convlens/checkpoints"
    whole = "[!.]*.npz"  # not one that is being written
    while started.poll() is None and not list(made.glob(whole)):
        time.sleep(0.02)
    started.kill()
    started.wait()
    (kept,) = made.glob(whole)
    with np.load(kept) as arrays:
        first = json.loads(str(arrays["header"]))["history"][0]
    said = committed.run(*command).stdout

    found = read_json(committed.folder / "docs/results/rate.json")
    rate, trials = "convnet.learning_rate", found["trials"]
    assert [trial[rate] for trial in trials] == [0.0005, 1.0, 1.0, 1e30]
    assert trials[0]["epochs"] == 4
    assert all(1 <= trial["epochs"] < 4 for trial in trials[1:3])  # ASHA has seen enough
    assert "a finite loss" in trials[3]["reason"]
    assert said.splitlines()[-1] == f"trial 0 on test: {found['best']['accuracy']:.4f}"

    client, runs = tracked(committed)
    runs = {run.data.params["convnet.dropout"]: run for run in runs if rate in run.data.params}
    for trial in trials[:3]:
        run = runs[str(trial["convnet.dropout"])]
        assert len(client.get_metric_history(run.info.run_id, "val_loss")) == trial["epochs"]
        assert ("test_accuracy" in run.data.metrics) == (trial is trials[0])
    best = runs[str(trials[0]["convnet.dropout"])]
    assert best.data.metrics["test_accuracy"] == found["best"]["accuracy"]
    rows = read_csv(Path(client.download_artifacts(best.info.run_id, "training/history.csv")))
    assert float(rows[0]["seconds"]) == first["seconds"]  # the killed one's epoch, not a new one


def test_a_variant_with_an_unknown_key_is_one_clear_error(committed):
    wrong = STUDY | {"variants": {"typo": {"features": {"viewz": 2}}}}
    YAML().dump(wrong, committed.folder / "studies/wrong.yaml")
    done = committed.run("python", "tools/study.py", "wrong", check=False)
    assert done.returncode == 1
    assert "studies/wrong.yaml: features.viewz" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ranges": {"convnet": {"dropout": {"low": 0.5, "high": 1.5}}}}, "convnet.dropout"),
        ({"ranges": {"convnet": {"dorpout": {"low": 0.5, "high": 0.9}}}}, "convnet.dorpout"),
        ({"ranges": {"convnet": {"epochs": {"low": 2, "high": 9}}}}, "ASHA decides"),
        ({"ranges": {"features": {"views": {"low": 1, "high": 2}}}}, "a key of convnet"),
        ({"trials": 0}, "studies/bad.yaml: trials"),
    ],
)
def test_a_range_that_no_training_takes_is_one_clear_error(committed, change, said, monkeypatch):
    YAML().dump(SEARCH | change, committed.folder / "studies/bad.yaml")
    monkeypatch.chdir(committed.folder)
    monkeypatch.syspath_prepend(committed.folder / "tools")
    from variants import read

    with pytest.raises(InputError, match=r"studies/bad\.yaml") as error:
        read("bad", params.load(Path("params.yaml")), None)
    assert said in str(error.value)


@pytest.mark.parametrize("file", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda f: f.stem)
def test_what_comes_with_the_repository_is_sound(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "tools")
    from variants import read

    assert len(read(file.stem, params.load(Path("params.yaml")), 2).variants) >= 2


def test_without_ray_the_message_says_how_to_get_it(committed, monkeypatch):
    YAML().dump(SEARCH, committed.folder / "studies/no_ray.yaml")
    monkeypatch.chdir(committed.folder)
    monkeypatch.syspath_prepend(committed.folder / "tools")
    monkeypatch.setattr("convlens.runtime.configure", describe)  # this process keeps its threads
    monkeypatch.setitem(sys.modules, "ray", None)
    import study

    done = CliRunner().invoke(study.main, ["no_ray"])
    assert done.exit_code == 1
    assert "pip install 'convlens[ray]'" in done.output


def test_a_model_that_the_study_is_not_about_is_one_clear_error(committed):
    YAML().dump(STUDY, committed.folder / "studies/other.yaml")
    command = ["python", "tools/study.py", "other", "--model", "convnet"]
    done = committed.run(*command, check=False)
    assert done.returncode == 1
    assert "expected: a model of other" in done.stderr
    assert "Traceback" not in done.stderr
