"""A repository's outputs, small and made up, and a store of its own."""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from PIL import Image

from convlens import lock, params, parts, tracking
from convlens.files import write_csv, write_json
from convlens.tracking import store

CURVES = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
COUNTS = {split: {"cat": 2, "dog": 2} for split in ("train", "validation", "test")}


class Outputs:
    """Writes what the stages would write under `root`, and dvc.lock as DVC would."""

    DATA, WEIGHTS = "d" * 64, "a" * 64

    def __init__(self, place: Path, repository: Path, empty: Path) -> None:
        self.root, self.empty = place, empty
        self.trained_file, self.classes = b"", ["cat", "dog"]
        self.fresh_store()
        self.params = params.tree(repository / "params.yaml")

    def sync(self, name: tracking.Name) -> str | None:
        return tracking.sync(self.root, name)

    def beside(self, place: Path) -> Outputs:
        """Return another clone's outputs, with the same parameters."""
        other = copy.copy(self)
        other.root = place
        return other

    def fresh_store(self) -> None:
        shutil.copyfile(self.empty, self.root / "mlflow.db")

    def snapshot(self) -> tuple[list[str], list[tuple[Path, int]]]:
        """Return all that the store holds, files with the time of their last change."""
        with sqlite3.connect(self.root / "mlflow.db") as database:
            rows = list(database.iterdump())
        stored = sorted((self.root / "mlartifacts").rglob("*"))
        return rows, [(path, path.stat().st_mtime_ns) for path in stored]

    def ended(self, stage: str) -> str | None:
        """Do what a stage does at its end, then what DVC does after it."""
        run_id = tracking.track(self.root, stage, self.params)
        self.lock(stage)
        return run_id

    def lock(self, stage: str) -> None:
        path = self.root / "dvc.lock"
        entries = dict(lock.stages(path))
        every = [one for name in ("data", *self.params["nets"]) for one in parts.parts(name)]
        (part,) = [one for one in every if one.stage == stage]
        files = [f for pattern in part.files for f in sorted(self.root.glob(pattern))]
        outs = [
            {"path": str(f.relative_to(self.root)), "md5": lock.md5(f)}
            for f in files
            if f.is_file() and f.name != "provenance.json"
        ]
        p = self.params
        made = {out["path"]: out["md5"] for out in entries.get("prepare", {}).get("outs", ())}
        deps = [] if stage == "prepare" else [{"path": k, "md5": v} for k, v in made.items()]
        read = {k: functools.reduce(dict.__getitem__, k.split("."), p) for k in part.sections}
        ran = {"params.yaml": copy.deepcopy(read)}
        entries[stage] = {"deps": deps, "params": ran, "outs": outs}
        path.write_text(json.dumps({"schema": "2.0", "stages": entries}))

    def data(self, digest: str = DATA, counts: dict[str, dict[str, int]] = COUNTS) -> str | None:
        folder = self.root / "data" / "prepared"
        about = {"digest": digest, "source": "drawn", "counts": counts, "image_size": 150}
        write_json(folder / "data.json", about)
        write_csv(folder / "manifest.csv", ["path"], [{"path": "cat.0001.jpg"}])
        self.figure("data/classes.png")
        return self.ended("prepare")

    def train(
        self, name: str = "convnet", weights: str = WEIGHTS, epochs: int = 3, val: float = 0.5
    ) -> str | None:
        folder = self.root / "models" / name
        rows = [
            dict.fromkeys(CURVES, 0.5) | {"epoch": e, "loss": 1 / e, "val_accuracy": val}
            for e in range(1, epochs + 1)
        ]
        write_csv(folder / "curves.csv", CURVES, rows)
        (folder / "model.keras").write_bytes(self.trained_file or weights.encode())
        write_json(folder / "classes.json", self.classes)
        marks = {"parameters": 7, "precision": "float32", "weights_sha256": weights}
        write_json(folder / "metrics.json", {"loss": 0.1, "epochs": epochs} | marks)
        usage = {"seconds": 1.5, "peak_memory_mb": 9}
        write_json(self.root / ".convlens/usage" / f"train@{name}.json", usage)
        return self.ended(f"train@{name}")

    def evaluate(
        self, name: str = "convnet", weights: str = WEIGHTS, accuracy: float = 0.75, **more: float
    ) -> str | None:
        write_json(
            self.root / "reports" / name / "evaluation" / "metrics.json",
            {"accuracy": accuracy, "accuracy_low": 0.5, "accuracy_high": 0.9, "n": 4, "ece": 0.1}
            | {"precision": "float32", "model": weights}
            | more,
        )
        self.figure(f"{name}/evaluation/confusion.png")
        return self.ended(f"evaluate@{name}")

    def explain(
        self, name: str = "convnet", weights: str = WEIGHTS, energy: float = 0.7
    ) -> str | None:
        folder = self.root / "reports" / name / "explain"
        write_json(folder / "metrics.json", {"energy_animal": energy, "model": weights})
        self.figure(f"{name}/explain/heatmaps/cat_0.png")
        return self.ended(f"explain@{name}")

    def all(self, name: str = "convnet", weights: str = WEIGHTS) -> str | None:
        self.train(name, weights)
        self.evaluate(name, weights)
        return self.explain(name, weights)

    def figure(self, name: str, level: int = 0) -> Path:
        path = self.root / "reports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (600, 300), level).save(path)
        return path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A store with nothing but its tables: making them takes a second or more."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    store._create(path)
    return path


@pytest.fixture
def outputs(tmp_path, monkeypatch, root, empty_store) -> Outputs:
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    return Outputs(tmp_path, root, empty_store)


@pytest.fixture
def client(outputs):
    """Read the store of `outputs` back, as anybody would."""
    from mlflow.tracking import MlflowClient

    return lambda uri=None: MlflowClient(uri or f"sqlite:///{outputs.root / 'mlflow.db'}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start `mlflow WORDS` on a free port of this machine; stopped after the file."""
    started, log = [], tmp_path_factory.mktemp("server") / "log"

    def start(words, environment, health="health", scheme="http", **options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words, "--port", str(port)],
                env=environment, cwd=log.parent, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        address = f"{scheme}://127.0.0.1:{port}"
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                if requests.get(f"{address}/{health}", timeout=1, **options).ok:
                    return address
            except requests.RequestException:
                time.sleep(0.2)
        raise AssertionError(log.read_text())

    def kill():
        while started:
            process = started.pop()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    start.kill = kill
    yield start
    kill()
