"""The command line as a user meets it: real processes, real exit codes."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from convlens.cli import main
from convlens.models import convnet, heads, keras_file


def convlens(*words, **options):
    command = [sys.executable, "-m", "convlens.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with fresh weights and two photos, one of which lies in a folder."""
    from convlens import params

    folder = tmp_path_factory.mktemp("cli")
    real = params.load(Path(__file__).resolve().parents[1] / "params.yaml")
    model = convnet.build(real.convnet, 48)
    keras_file.save(model, folder / "models/convnet/model.keras")
    rng = np.random.default_rng(0)
    (folder / "more").mkdir()
    for name in ("a.png", "more/b.jpg"):
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"<html>not found</html>")
    (folder / "empty.jpg").touch()
    return folder


@pytest.mark.parametrize(
    "words", [["--help"], ["predict", "--help"], ["explain", "--help"], ["--version"]]
)
def test_help_imports_neither_tensorflow_nor_mlflow(words):
    code = (
        "import sys; from convlens.cli import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'matplotlib', 'sklearn', 'scipy'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "LOADED []" in result.stdout


def test_predict_scores_the_good_names_the_bad_and_exits_with_1(folder):
    words = ["a.png", "broken.jpg", "more", "empty.jpg", "missing.jpg"]
    result = convlens("predict", *words, "--model", "convnet", "--format", "csv", cwd=folder)
    assert result.returncode == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert list(rows[0]) == ["path", "probability_dog", "predicted"]
    assert [row["path"] for row in rows] == ["a.png", "more/b.jpg"]
    for row in rows:
        said = "dog" if float(row["probability_dog"]) > 0.5 else "cat"
        assert row["predicted"] == said
    for line in ("broken.jpg: not an image", "empty.jpg: empty", "missing.jpg: No such file"):
        assert line in result.stderr
    assert "Traceback" not in result.stderr


def test_the_three_formats_say_the_same_and_equal_the_model(folder):
    words = ["predict", "a.png", "more", "--model", "convnet"]
    as_csv, as_json, as_table = (
        convlens(*words, "--format", layout, cwd=folder) for layout in ("csv", "json", "table")
    )
    assert {r.returncode for r in (as_csv, as_json, as_table)} == {0}
    rows = json.loads(as_json.stdout)
    for row, other in zip(rows, csv.DictReader(io.StringIO(as_csv.stdout)), strict=True):
        assert str(row["probability_dog"]) == other["probability_dog"]
        assert row["path"] in as_table.stdout
    image = Image.open(folder / "a.png").resize((48, 48), Image.Resampling.BICUBIC)
    logit = keras_file.load(folder / "models/convnet/model.keras")(np.asarray(image)[None])
    expected = 1 / (1 + np.exp(-np.asarray(logit)[0, 0]))
    assert rows[0]["probability_dog"] == pytest.approx(expected, abs=1e-4)


def test_top_names_three_classes_of_each_photo_the_most_probable_first(folder, tmp_path):
    from convlens import params

    names = ["ant", "bee", "cow", "doe"]
    real = params.load(Path(__file__).resolve().parents[1] / "params.yaml")
    model = convnet.build(real.convnet, 48, classes=4)
    keras_file.save(model, tmp_path / "convnet/model.keras")
    heads.save_names(tmp_path / "convnet", names)
    words = ["predict", "a.png", "more", "--model", "convnet", "--models", tmp_path]
    every, best = (
        list(csv.DictReader(io.StringIO(convlens(*words, *more, cwd=folder).stdout)))
        for more in (["--format", "csv"], ["--format", "csv", "--top"])
    )
    assert list(every[0]) == ["path", *(f"probability_{name}" for name in names), "predicted"]
    for row, ranked in zip(every, (best[:3], best[3:]), strict=True):
        chances = {name: float(row[f"probability_{name}"]) for name in names}
        assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
        assert [r["class"] for r in ranked] == sorted(names, key=lambda n: -chances[n])[:3]
        assert [r["rank"] for r in ranked] == ["1", "2", "3"]
        assert ranked[0]["class"] == row["predicted"]
        assert float(ranked[0]["probability"]) == chances[row["predicted"]]


def test_without_a_trained_model_the_message_says_what_to_run(folder):
    result = convlens("predict", "a.png", "--model", "vgg16", cwd=folder)
    assert result.returncode == 2
    assert "make repro" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_of_nothing_readable_says_what_there_is_and_exits_with_1(tmp_path):
    for name in ("IMG_1.HEIC", "IMG_2.HEIC", "film.mp4"):
        (tmp_path / name).touch()
    result = convlens("predict", tmp_path)
    assert result.returncode == 1
    assert "3 files left out: 2 .heic, 1 .mp4" in result.stderr
    assert "pillow-heif" in result.stderr


def test_a_terminal_without_the_letters_gets_others(tmp_path):
    for name in ("cats/猫.jpg", "cats/犬.jpg", "dogs/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"<html>")
    latin = os.environ | {"PYTHONIOENCODING": "latin-1"}
    result = convlens("inspect", tmp_path, env=latin)
    assert result.returncode == 0
    assert "cats/?.jpg: not an image" in result.stdout


@pytest.mark.parametrize("words", [["sync"], ["doctor"], ["ui"], ["register", "convnet"]])
def test_outside_of_a_clone_the_message_says_where_to_go(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "no params.yaml here or above" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_commands_find_the_repository_from_a_subfolder(folder, root, tmp_path, monkeypatch):
    shutil.copytree(folder / "models", tmp_path / "models")
    shutil.copy(root / "params.yaml", tmp_path)
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:s3cret@team.example/mlflow")
    done = CliRunner().invoke(main, ["ui"])
    assert (done.exit_code, done.stdout) == (0, "the UI is at https://***@team.example/mlflow\n")
    monkeypatch.chdir(tmp_path / "docs")
    answers = CliRunner().invoke(
        main, ["predict", str(folder / "a.png"), "--model", "convnet", "--format", "json"]
    )
    assert json.loads(answers.stdout)[0]["predicted"] in ("cat", "dog")
    monkeypatch.chdir(tmp_path / "docs")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    started = []
    monkeypatch.setattr(os, "execve", lambda *words: started.append(words))
    assert CliRunner().invoke(main, ["ui"]).exit_code == 0
    ((_, words, environment),) = started
    assert words[-2:] == ["--port", "5000"]
    assert environment["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert not (tmp_path / "docs/mlflow.db").exists()


def test_sync_says_what_was_edited_since(root, tmp_path, monkeypatch):
    given = (root / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(given.replace("confidence: 0.95", "confidence: 0.9"))
    ran = {"params": {"params.yaml": {"evaluate": {"confidence": 0.95}}}}
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"evaluate@convnet": ran}}))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["sync"])
    assert done.exit_code == 0
    said = "not run yet: evaluate.confidence is 0.9 in params.yaml, 0.95 in dvc.lock"
    assert said in done.stderr
