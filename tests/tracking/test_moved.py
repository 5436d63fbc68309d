"""A folder that was moved or copied; addresses of stores that are not the plain default."""

import shutil
import sqlite3

import pytest

from convlens import doctor, tracking
from convlens.tracking import store


def paths(folder):
    return sorted(path for path in folder.rglob("*") if ".convlens" not in path.parts)


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_store_settles_where_it_lies_now(outputs, client, tmp_path, how):
    outputs.root = old = tmp_path / "old place"
    old.mkdir()
    outputs.fresh_store()
    outputs.data()
    first = outputs.all()
    new = tmp_path / "new"
    shutil.move(old, new) if how == "moved" else shutil.copytree(old, new)
    before = paths(old) if how == "copied" else []
    (finding,) = doctor._moved(new)
    assert (finding.level, "old%20place" in finding.found) == ("problem", True)
    outputs.root = new
    assert outputs.sync("convnet") == first
    second = outputs.train(weights="b" * 64)
    assert list(doctor._moved(new)) == []
    assert paths(old) == before  # neither made again nor written to
    read = client(f"sqlite:///{new}/mlflow.db")
    for run_id in (first, second):
        run = read.get_run(run_id)
        assert run.info.artifact_uri.startswith(new.as_uri())
        assert [item.path for item in read.list_artifacts(run_id)][-1] == "training"
        model = read.get_logged_model(run.outputs.model_outputs[0].model_id)
        assert model.artifact_location.startswith(new.as_uri())


def test_a_store_with_options_in_its_address(outputs, client, monkeypatch, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    uri = f"sqlite:///{place}/runs.db?timeout=20"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    run = client(uri).get_run(outputs.data())
    assert run.info.artifact_uri.startswith((place / "mlartifacts").as_uri())
    assert {path.name for path in place.iterdir()} == {"runs.db", "mlartifacts"}


def test_a_question_mark_in_the_path_is_one_sentence_and_leaves_nothing(outputs, tmp_path):
    outputs.root = tmp_path / "why?"
    (tmp_path / "why?").mkdir()
    outputs.fresh_store()
    assert list(doctor._moved(outputs.root)) == []
    with pytest.raises(tracking.TrackingUnavailable, match=r"why\?.*MLFLOW_TRACKING_URI"):
        outputs.data()
    assert not list(tmp_path.rglob("*.part*"))
    assert not (tmp_path / "why").exists()


def refused(outputs):
    with pytest.raises(tracking.TrackingUnavailable) as caught:
        outputs.sync("data")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_another_mlflow_s_store_and_a_file_store_say_all_that_mlflow_says(outputs, monkeypatch):
    outputs.data()
    path = outputs.root / "other.db"
    shutil.copyfile(outputs.empty, path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'cc1f77228345'")
    assert f"mlflow db upgrade sqlite:///{path}" in refused(outputs)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", files := f"{(outputs.root / 'mlruns').as_uri()}")
    said = refused(outputs)
    assert files in said
    assert "MLFLOW_ALLOW_FILE_STORE=true" in said
    with pytest.raises(tracking.TrackingUnavailable, match="MLFLOW_ALLOW_FILE_STORE"):
        store.available(files)
