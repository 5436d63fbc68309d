"""Each thing that would break a run or its promise is found, and a sound clone is sound."""

import hashlib
import json
import os
import sqlite3
import subprocess
from importlib.metadata import version

import pytest

from convlens import doctor, params


@pytest.fixture
def clone(tmp_path, root, monkeypatch):
    """A clean clone with a lock file that agrees with what is installed."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".dvc").mkdir()
    lock = f"numpy=={version('numpy')} \\\n    --hash=sha256:00\ncolorama==9 ; os_name == 'nt'\n"
    (tmp_path / "requirements.lock").write_text(lock)
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    (tmp_path / ".gitignore").write_text(".dvc\n.convlens\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "all")
    monkeypatch.setattr(doctor, "GPU", tmp_path / "no GPU")
    monkeypatch.setattr(doctor, "FREE_GIGABYTES", 0.0)
    defaults = params.load(root / "params.yaml")
    return lambda changed=defaults: doctor.examine(tmp_path, changed)


def git(folder, *words):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)


def one(examination):
    (finding,) = examination.findings
    return finding


def test_sound_clone(clone):
    examination = clone()
    assert examination.findings == []
    assert examination.tier == 1
    assert "no problems found" in doctor.text(examination)
    assert examination.record["numpy"] == version("numpy")


def test_graphics_processor_lowers_the_promise(clone, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "GPU", tmp_path)
    assert clone().tier == 2


def test_other_versions_than_locked(clone, tmp_path):
    (tmp_path / "requirements.lock").write_text("numpy==0.1 \\\nno-such-package==1\n")
    git(tmp_path, "commit", "-qam", "other versions")
    examination = clone()
    assert examination.tier == 3
    assert f"numpy {version('numpy')} (lock: 0.1)" in one(examination).found
    assert "no-such-package not installed (lock: 1)" in one(examination).found


def test_uncommitted_changes_and_new_files(clone, tmp_path):
    (tmp_path / ".gitignore").write_text(".dvc\n.convlens\n# more\n")
    (tmp_path / "new.py").write_text("")
    examination = clone()
    assert examination.tier == 3
    assert {f.found for f in examination.findings} == {
        "files that git doesn't know: new.py",
        "uncommitted changes: .gitignore",
    }


def test_no_repository(clone, tmp_path):
    (tmp_path / ".git").rename(tmp_path / "no git")
    assert one(clone()).level == "problem"
    assert clone().tier == 3


def test_relative_and_missing_paths(clone, root):
    raw = params.load(root / "params.yaml").model_dump(mode="json")
    raw["vgg16"]["weights"] = "base.h5"
    raw["imagenet"]["weights"] = "/no/such/file.h5"
    found = clone(params.check(raw, "test")).findings
    assert [(f.level, f.where) for f in found] == [
        ("warning", "params.yaml: vgg16.weights"),
        ("problem", "params.yaml: imagenet.weights"),
    ]


@pytest.mark.parametrize("uri", ["sqlite:///runs.db", "./mlruns", "mlruns"])
def test_relative_store(clone, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert "relative" in one(clone()).found


@pytest.mark.parametrize(
    "uri", ["postgresql+psycopg2://me:s3cret@127.0.0.1:9/ml", "/abs/mlruns", "databricks"]
)
def test_absolute_stores_are_not_called_relative(clone, monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    examination = clone()
    assert "relative" not in doctor.text(examination)
    assert "s3cret" not in doctor.text(examination)


def test_absent_server_shows_no_password(clone, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3cret@127.0.0.1:9")
    examination = clone()
    assert one(examination).level == "warning"
    assert "s3cret" not in doctor.text(examination)


def test_running_pipeline(clone, tmp_path):
    locks = tmp_path / ".dvc" / "tmp" / "rwlock"
    locks.parent.mkdir()
    locks.write_text(json.dumps({"out": {"write": {"pid": 2**22 + 1, "cmd": "dvc repro"}}}))
    assert clone().findings == []
    locks.write_text(json.dumps({"out": {"write": {"pid": os.getpid(), "cmd": "dvc repro"}}}))
    assert str(os.getpid()) in one(clone()).found


def test_full_disk_and_missing_lock(clone, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "FREE_GIGABYTES", 1e9)
    assert "GB free" in one(clone()).found
    monkeypatch.setattr(doctor, "FREE_GIGABYTES", 0.0)
    git(tmp_path, "rm", "-q", "dvc.lock")
    git(tmp_path, "commit", "-qm", "no lock")
    assert one(clone()).where == "dvc.lock"


def test_slow_start(clone, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert one(clone()).where == "PYTHONDONTWRITEBYTECODE"


def test_a_damaged_cache_and_a_damaged_lock_are_found(clone, tmp_path):
    model, table = b"model", b"a,b\n"
    listing = json.dumps([{"md5": put(tmp_path, table), "relpath": "a.csv"}]).encode()
    outs = [
        {"path": "model.keras", "md5": put(tmp_path, model)},
        {"path": "tables", "md5": put(tmp_path, listing, ".dir")},
    ]
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"train": {"outs": outs}}}))
    git(tmp_path, "commit", "-qam", "results")
    assert clone().findings == []
    for content in (model, table):
        place(tmp_path, content).write_bytes(b"rotten")
        finding = one(clone())
        assert (finding.level, finding.where) == ("problem", str(place(tmp_path, content)))
        put(tmp_path, content)
    (tmp_path / "dvc.lock").write_text("stages: {train: {ou")
    git(tmp_path, "commit", "-qam", "cut")
    assert one(clone()).where.endswith("dvc.lock")


def place(root, content, suffix=""):
    digest = hashlib.md5(content).hexdigest() + suffix
    return root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def put(root, content, suffix=""):
    path = place(root, content, suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path.parent.name + path.name


def test_lines_that_windows_ends_and_marks_of_a_conflict(clone, tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}\n')
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a table")
    (tmp_path / "a.json").write_bytes(b'{"a": 1}\r\n')
    git(tmp_path, "-c", "core.autocrlf=true", "add", "--renormalize", "a.json")
    assert "1 files whose lines end in CR LF, e.g. a.json" in doctor.text(clone())
    side = "<" * 7, "=" * 7, ">" * 7
    (tmp_path / "a.json").write_text(f"{side[0]} HEAD\n1\n{side[1]}\n2\n{side[2]} theirs\n")
    found = [f for f in clone().findings if f.level == "problem"]
    assert [(f.where, f.found) for f in found] == [("a.json", "git's marks of a conflict")]


def test_numbers_without_their_model(clone, tmp_path):
    folder = tmp_path / "models/convnet"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}\n")
    outs = [{"path": "models/convnet/model.keras", "md5": "0" * 32}]
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"train@convnet": {"outs": outs}}}))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "numbers")
    finding = one(clone())
    assert finding.where == "models/convnet/model.keras"
    assert (finding.found, finding.fix[:10]) == ("is not here: not tracked", "`dvc pull`")


@pytest.mark.usefixtures("clone")
def test_a_store_that_was_made_elsewhere_and_code_of_another_folder(tmp_path):
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        store.execute("CREATE TABLE experiments (name, artifact_location)")
        store.execute("INSERT INTO experiments VALUES ('convlens', 'file:///old/mlartifacts')")
    (tmp_path / "src/convlens").mkdir(parents=True)
    found = list(doctor._moved(tmp_path))
    assert [f.where for f in found] == ["mlflow.db", "installation"]
    assert "file:///old" in found[0].found


def test_another_version_s_store(clone, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{(tmp_path / 'mlruns').as_uri()}")
    assert "MLFLOW_ALLOW_FILE_STORE" in one(clone()).found
