"""A study trains each variant over seeds, goes on where it stopped, and draws what it found."""

from mlflow.tracking import MlflowClient
from ruamel.yaml import YAML

from convlens.files import read_json

STUDY = {
    "model": "vgg16",
    "changes": {"vgg16": {"epochs": 1}},
    "variants": {"1 view": {}, "2 views": {"features": {"views": 2}}},
}


def test_a_study_compares_its_variants_and_goes_on_where_it_stopped(committed):
    yaml = YAML()
    yaml.dump(STUDY, committed.folder / "studies/tiny.yaml")
    committed.run("python", "tools/study.py", "tiny", "--count", "1")
    out = committed.folder / "docs/results/tiny.json"
    first = read_json(out)
    said = committed.run("python", "tools/study.py", "tiny", "--count", "2").stdout
    found = read_json(out)

    rows = [(run["variant"], run["seed"]) for run in found["runs"]]
    assert rows == [("1 view", 1), ("1 view", 2), ("2 views", 1), ("2 views", 2)]
    assert [found["runs"][0], found["runs"][2]] == first["runs"]  # seconds and all: not run again
    mean = sum(run["accuracy"] for run in found["runs"][:2]) / 2
    assert found["summary"]["1 view"]["accuracy"]["mean"] == mean
    assert said.splitlines()[-1].startswith("2 views")
    assert (committed.folder / "docs/figures/study_tiny.png").read_bytes()[:4] == b"\x89PNG"

    client = MlflowClient(f"sqlite:///{committed.folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'convlens'")
    runs = client.search_runs([experiment.experiment_id])
    kept = {(r.data.params["features.views"], r.data.params["vgg16.seed"]) for r in runs}
    assert kept == {("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")}


def test_a_variant_with_an_unknown_key_is_one_clear_error(committed):
    wrong = STUDY | {"variants": {"typo": {"features": {"viewz": 2}}}}
    YAML().dump(wrong, committed.folder / "studies/wrong.yaml")
    done = committed.run("python", "tools/study.py", "wrong", check=False)
    assert done.returncode == 1
    assert "studies/wrong.yaml: features.viewz" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_the_study_is_not_about_is_one_clear_error(committed):
    YAML().dump(STUDY, committed.folder / "studies/other.yaml")
    command = ["python", "tools/study.py", "other", "--model", "convnet"]
    done = committed.run(*command, check=False)
    assert done.returncode == 1
    assert "expected: a model of other" in done.stderr
    assert "Traceback" not in done.stderr
