"""A store that fails costs a warning: never results, never minutes, never a run left RUNNING."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from convlens import tracking
from convlens.tracking import push, store

PROJECT = """
import sys
from pathlib import Path
from convlens import params, tracking
from convlens.tracking import push
if "hang" in sys.argv:
    def hang(*_):
        print("inside", flush=True)
        sys.stdin.readline()
    push.artifacts.send = hang
try:
    print(tracking.sync(Path(sys.argv[1]), "convnet", params.load(Path(sys.argv[2]))))
except tracking.TrackingUnavailable as error:
    print("unavailable:", error)
"""


@pytest.fixture
def trained(outputs):
    outputs.data()
    outputs.train()
    return outputs


@pytest.fixture
def project(trained, root):
    """Project in another process, with this environment and these words."""

    def start(*words, **environment):
        return subprocess.Popen(
            [sys.executable, "-c", PROJECT, trained.root, root / "params.yaml", *words],
            env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    return start


class Answering:
    """An HTTP server of this machine that gives every request the same answer."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"http://me:s3cret@127.0.0.1:{self.server.server_port}"


def unavailable(trained):
    """Return the one-line reason; the files must stand as they were."""
    before = sorted((p, p.stat().st_mtime_ns) for p in (trained.root / "models").rglob("*"))
    with pytest.raises(tracking.TrackingUnavailable) as caught:
        trained.sync("convnet")
    assert sorted((p, p.stat().st_mtime_ns) for p in (trained.root / "models").rglob("*")) == before
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_absent_server(trained, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"http://me:s3cret@127.0.0.1:{free.getsockname()[1]}"
        )
        assert "does not answer" in unavailable(trained)


def test_slow_server(trained, monkeypatch):
    """It accepts connections and never answers; a shorter patience keeps the test short."""
    monkeypatch.setattr(store, "PROBE_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://me:s3cret@127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert "does not answer (ReadTimeout)" in unavailable(trained)
    assert float(store._SETTINGS["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10


def test_server_that_answers_500(trained, monkeypatch):
    server = Answering(lambda handler: handler.send_error(500))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    assert "answers 500" in unavailable(trained)


def test_server_that_is_well_but_fails(trained, project):
    """Its health is fine, every other request fails: the stage still gets one line, soon."""

    def answer(handler):
        if handler.path == "/health":
            handler.send_response(200)
            handler.end_headers()
        else:
            handler.send_error(503)

    process = project(MLFLOW_TRACKING_URI=Answering(answer).uri)
    said = process.communicate(timeout=60)[0].splitlines()
    assert len(said) == 1
    assert said[0].startswith("unavailable:")
    assert "s3cret" not in said[0]
    assert (trained.root / "models" / "convnet" / "metrics.json").exists()


@pytest.mark.slow
def test_server_that_serves_then_dies_midway(trained, project, server, client, monkeypatch, capfd):
    place = trained.root / "served"
    database = f"sqlite:///{place / 'mlflow.db'}"
    place.mkdir()
    (trained.root / "mlflow.db").rename(place / "mlflow.db")
    words = ["server", "--backend-store-uri", database, "--host", "127.0.0.1", "--workers", "1"]
    address = server([*words, "--artifacts-destination", str(place / "files")], dict(os.environ))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    trained.evaluate()
    extra = trained.figure("convnet/evaluation/extra.png")
    run_id = trained.sync("convnet")
    assert len(client(address).list_artifacts(run_id, "images")) == 4
    assert capfd.readouterr() == ("", "")  # the package never prints, nor what it calls
    extra.unlink()
    assert trained.sync("convnet") == run_id
    left = client(address).list_artifacts(run_id, "images")
    assert all("confusion" in item.path for item in left)
    assert len(left) == 2

    trained.train(weights="b" * 64)
    process = project("hang", MLFLOW_TRACKING_URI=address)
    assert process.stdout.readline() == "inside\n"
    server.kill()
    said = process.communicate("go on\n", timeout=100)[0].splitlines()
    assert len(said) == 1
    assert said[0].startswith("unavailable:")
    assert sorted(states(client(database))) == ["FINISHED", "RUNNING"]
    reap(client(database))
    assert sorted(states(client(database))) == ["FINISHED", "KILLED"]


def states(client):
    experiment = client.get_experiment_by_name("convlens")
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]


def reap(client):
    push._reap(client, client.get_experiment_by_name("convlens").experiment_id)


def test_locked_store(trained, monkeypatch):
    monkeypatch.setattr(store, "PROBE_SECONDS", 0.2)
    with sqlite3.connect(trained.root / "mlflow.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked" in unavailable(trained)
    assert trained.sync("convnet")


def test_corrupt_store(trained):
    path = trained.root / "mlflow.db"
    path.write_bytes(b"this is no database" * 1000)
    assert "convlens sync" in unavailable(trained)
    path.unlink()


def test_read_only_place(trained, monkeypatch):
    (trained.root / "file").write_text("")
    monkeypatch.setenv("DVC_ROOT", str(trained.root / "file"))
    assert "Not a directory" in unavailable(trained)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_killed_projection_leaves_no_running_run(trained, project, client, end):
    process = project("hang")
    assert process.stdout.readline() == "inside\n"
    process.send_signal(end)
    process.wait()
    assert states(client()) == ["KILLED" if end == signal.SIGINT else "RUNNING"]
    trained.sync("data")  # the next start, of whatever stage
    assert sorted(states(client())) == ["FINISHED", "KILLED"]
    trained.sync("convnet")
    assert states(client()) == ["FINISHED", "FINISHED"]


def test_run_of_a_living_process_is_left_alone(project, client):
    process = project("hang")
    assert process.stdout.readline() == "inside\n"
    reap(client())
    assert states(client()) == ["RUNNING"]
    process.communicate("go on\n", timeout=60)
    assert states(client()) == ["FINISHED"]


def test_two_projections_at_once_make_one_run(project, client):
    both = [project(), project()]
    ids = {process.communicate(timeout=120)[0].strip() for process in both}
    assert len(ids) == 1
    assert states(client()) == ["FINISHED"]


def test_clock_set_back(trained, client, monkeypatch):
    trained.evaluate(accuracy=0.75)
    run_id = trained.sync("convnet")
    trained.evaluate(accuracy=0.5)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    trained.sync("convnet")
    assert client().get_run(run_id).data.metrics["test_accuracy"] == 0.5
