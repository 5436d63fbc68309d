"""A repository's outputs, small and made up, and a store of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from PIL import Image

from convlens import params, tracking
from convlens.files import write_csv, write_json
from convlens.tracking import store

CURVES = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")


class Outputs:
    """Writes what the stages would write under `root`."""

    DATA, WEIGHTS = "d" * 64, "a" * 64

    def __init__(self, place: Path, repository: Path) -> None:
        self.root = place
        self.params = params.load(repository / "params.yaml")

    def sync(self, name: tracking.Name) -> str | None:
        return tracking.sync(self.root, name, self.params)

    def data(self, digest: str = DATA) -> None:
        folder = self.root / "data" / "prepared"
        counts = {split: {"cat": 2, "dog": 2} for split in ("train", "validation", "test")}
        write_json(folder / "data.json", {"digest": digest, "source": "drawn", "counts": counts})
        write_csv(folder / "manifest.csv", ["path"], [{"path": "cat.0001.jpg"}])
        self.figure("data/classes.png")

    def train(
        self, name: str = "convnet", weights: str = WEIGHTS, epochs: int = 3, val: float = 0.5
    ) -> None:
        folder = self.root / "models" / name
        rows = [
            dict.fromkeys(CURVES, 0.5) | {"epoch": e, "loss": 1 / e, "val_accuracy": val}
            for e in range(1, epochs + 1)
        ]
        write_csv(folder / "history.csv", CURVES, rows)
        (folder / "model.keras").write_bytes(weights.encode())
        marks = {"parameters": 7, "precision": "float32", "weights_sha256": weights}
        write_json(folder / "metrics.json", {"loss": 0.1, "epochs": epochs} | marks)

    def evaluate(
        self, name: str = "convnet", weights: str = WEIGHTS, accuracy: float = 0.75
    ) -> None:
        write_json(
            self.root / "reports" / name / "evaluation" / "metrics.json",
            {"accuracy": accuracy, "accuracy_low": 0.5, "accuracy_high": 0.9, "n": 4, "ece": 0.1}
            | {"precision": "float32", "model": weights},
        )
        self.figure(f"{name}/evaluation/confusion.png")

    def explain(self, name: str = "convnet", weights: str = WEIGHTS) -> None:
        folder = self.root / "reports" / name / "explain"
        write_json(folder / "metrics.json", {"energy_animal": 0.7, "model": weights})
        self.figure(f"{name}/explain/heatmaps/cat_0.png")

    def report(self, name: str = "convnet", weights: str = WEIGHTS, level: int = 0) -> Path:
        models = {name: {"weights_sha256": weights}}
        write_json(self.root / "reports" / "summary.json", {"models": models})
        return self.figure(f"{name}/curves.png", level)

    def figure(self, name: str, level: int = 0) -> Path:
        path = self.root / "reports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (600, 300), level).save(path)
        return path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A store with nothing but its tables: making them takes a second or more."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with store.settings(f"sqlite:///{path}"):
        store.initialise(f"sqlite:///{path}")
    return path


@pytest.fixture
def outputs(tmp_path, monkeypatch, root, empty_store) -> Outputs:
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    return Outputs(tmp_path, root)


@pytest.fixture
def client(outputs):
    """Read the store of `outputs` back, as anybody would."""
    from mlflow.tracking import MlflowClient

    return lambda uri=None: MlflowClient(uri or f"sqlite:///{outputs.root / 'mlflow.db'}")


@pytest.fixture
def server(tmp_path):
    """Start `mlflow WORDS` on a free port of this machine; stopped after the test."""
    started = []

    def start(words, environment, health="health"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (tmp_path / "server.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, "--port", str(port)],
            env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            try:
                if requests.get(f"{address}/{health}", timeout=1).ok:
                    return address
            except requests.RequestException:
                time.sleep(0.2)
        raise AssertionError((tmp_path / "server.log").read_text())

    def kill():
        while started:
            process = started.pop()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    start.kill = kill
    yield start
    kill()
