"""A run tells of who made its results, whichever clone puts it into whichever store."""

import subprocess

import pytest

from convlens.errors import InputError


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
    dump = outputs.snapshot()
    assert outputs.sync("convnet") == run_id
    assert outputs.snapshot() == dump
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


@pytest.mark.parametrize("note", ["{}", "[]", '{"of": "x", "made": "soon"}', "<<<<<<< HEAD\n{}"])
def test_a_damaged_note_is_named(outputs, note):
    outputs.data()
    outputs.train()
    (outputs.root / "models/convnet/provenance.json").write_text(note)
    with pytest.raises(InputError, match=r"models/convnet/provenance\.json(.|\n)*git checkout"):
        outputs.sync("convnet")


def test_a_result_that_dvc_brings_back_finds_its_note_again(outputs):
    outputs.data()
    outputs.train()
    folder = outputs.root / "models/convnet"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    outputs.train(weights="b" * 64)
    for name in set(first) - {"provenance.json"}:  # DVC's run cache knows no note
        (folder / name).write_bytes(first[name])
    outputs.lock("train@convnet")
    outputs.sync("convnet")
    assert (folder / "provenance.json").read_bytes() == first["provenance.json"]


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
