"""A disturbed pixel, weight or number is found and named."""

import json

import numpy as np
import pytest
from ruamel.yaml import YAML

from convlens import reproduce


@pytest.fixture
def repository(tmp_path):
    def write(name, digests):
        root = tmp_path / name
        (root / "data").mkdir(parents=True)
        np.save(root / "data/train.npy", np.arange(24).reshape(2, 3, 4))
        (root / "data/manifest.csv").write_text("path,label\na.jpg,cat\n")
        (root / "model.keras").write_bytes(b"weights")
        stages = {
            "prepare": {"outs": [{"path": "data", "md5": digests[0]}]},
            "train": {"outs": [{"path": "model.keras", "md5": digests[1]}]},
        }
        YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")
        return root

    return write


def test_equal_runs_have_no_difference(repository):
    assert list(reproduce.differences(repository("a", "xy"), repository("b", "xy"))) == []


def test_a_disturbed_pixel_is_named_by_stage_file_index_and_values(repository):
    one, two = repository("a", "xy"), repository("b", "zy")
    pixels = np.load(two / "data/train.npy")
    pixels[1, 2, 0] = 99
    np.save(two / "data/train.npy", pixels)
    (found,) = reproduce.differences(one, two)
    assert found == reproduce.Difference("prepare", "data/train.npy", "index (1, 2, 0): 20 and 99")


def test_a_disturbed_line_byte_or_missing_file_is_named(repository):
    one, two = repository("a", "xy"), repository("b", "zw")
    (two / "data/manifest.csv").write_text("path,label\na.jpg,dog\n")
    (two / "model.keras").write_bytes(b"weighty")
    line, byte = reproduce.differences(one, two)
    assert line.where == r"line 2: 'a.jpg,cat\n' and 'a.jpg,dog\n'"
    assert (byte.stage, byte.where) == ("train", "byte 6")
    (two / "data/manifest.csv").unlink()
    assert next(reproduce.differences(one, two)).where == "is there only once"


def test_data_must_equal_the_committed_lock(repository, monkeypatch):
    monkeypatch.setattr(reproduce, "DATA_STAGES", ("prepare",))
    run, committed = repository("a", "xy"), repository("b", "zz")
    (found,) = reproduce.against_lock(run, committed / "dvc.lock")
    assert (found.stage, found.file) == ("prepare", "data")


def test_metrics_must_lie_inside_the_band(tmp_path):
    for model, accuracy in (("convnet", 0.97), ("vgg16", 1.0)):
        folder = tmp_path / f"reports/{model}/evaluation"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"accuracy": accuracy, "log_loss": 0.1}))
    band = {m: {"accuracy": [0.98, 1.0], "log_loss": [0.0, 0.2]} for m in ("convnet", "vgg16")}
    (found,) = reproduce.outside_band(tmp_path, band)
    assert found.stage == "evaluate@convnet"
    assert "0.97, the band is 0.98 to 1" in found.where


def test_a_missing_last_line_end_is_a_difference(repository):
    one, two = repository("a", "xy"), repository("b", "zy")
    (two / "data/manifest.csv").write_text("path,label\na.jpg,cat")
    (found,) = reproduce.differences(one, two)
    assert found.where.startswith("line 2")
