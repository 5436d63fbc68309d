"""Runs of studies come from folders that hold a part of what the pipeline makes."""

import shutil
import subprocess
import tempfile
from pathlib import Path


def test_results_of_a_study_know_the_commit_of_the_repository(
    outputs, client, monkeypatch, tmp_path
):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    with tempfile.TemporaryDirectory() as elsewhere:
        outputs.root = Path(elsewhere)
        outputs.data()
        outputs.train()
        monkeypatch.setenv("DVC_ROOT", str(tmp_path))
        run_id = outputs.sync("convnet")
    outputs.root = tmp_path
    assert client().get_run(run_id).data.tags["git.commit"] == head.stdout.strip()


def test_what_a_later_record_does_not_mention_stays(outputs, client):
    outputs.data()
    outputs.train()
    outputs.evaluate()
    outputs.explain()
    run_id = outputs.sync("convnet")
    shutil.rmtree(outputs.root / "reports/convnet/explain")  # e.g. a study of the same weights
    (outputs.root / "reports/convnet/evaluation/confusion.png").unlink()
    assert outputs.sync("convnet") == run_id
    kept = {item.path for item in client().list_artifacts(run_id, "explain")}
    assert any(path.startswith("explain/") for path in kept)
    gone = {item.path for item in client().list_artifacts(run_id, "evaluation")}
    assert "evaluation/confusion.png" not in gone
    assert client().get_run(run_id).data.tags["convlens.stage"] == "train evaluation explain"
