"""What `make verify` compares turns red when a real run is disturbed."""

import os
import subprocess
import sys

import pytest
from small_repository import ROOT

from convlens import reproduce


# With TensorFlow's own kernels instead of oneDNN's the same numbers are summed in another order.
@pytest.mark.parametrize(("seed", "onednn"), [(2, "1"), (1, "0")])
def test_another_seed_or_another_order_of_sums_is_found(ran, committed, monkeypatch, seed, onednn):
    assert list(reproduce.differences(ran.folder, committed.folder)) == []
    committed.change({"convnet": {"seed": seed}})
    monkeypatch.setitem(committed.environment, "TF_ENABLE_ONEDNN_OPTS", onednn)
    again = ("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train@convnet")
    committed.run(*again)
    found = {(d.stage, d.file) for d in reproduce.differences(ran.folder, committed.folder)}
    assert ("train@convnet", "models/convnet/model.keras") in found
    committed.run("git", "checkout", "params.yaml", "dvc.lock", "models")
    committed.run("dvc", "checkout", "--force")


def test_a_run_that_fails_in_the_second_clone_only_is_shown(tmp_path):
    stand_in = tmp_path / "dvc"
    stand_in.write_text('#!/bin/sh\n[ -z "$TZ" ] || { echo "no memory"; exit 3; }\n')
    stand_in.chmod(0o755)
    here = {k: v for k, v in os.environ.items() if k != "TZ"}
    done = subprocess.run(
        [sys.executable, "tools/verify.py", tmp_path / "kept"], cwd=ROOT, text=True,
        env=here | {"PATH": f"{tmp_path}:{here['PATH']}"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no memory" in done.stderr
    assert (tmp_path / "kept/dvc.yaml").exists()
    assert "byte-identical" not in done.stdout


def test_a_folder_that_is_taken_is_one_clear_error(tmp_path):
    (tmp_path / "mine").touch()
    done = subprocess.run(
        [sys.executable, "tools/verify.py", tmp_path], cwd=ROOT, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{tmp_path} can't be made" in done.stderr
    assert "Traceback" not in done.stderr
