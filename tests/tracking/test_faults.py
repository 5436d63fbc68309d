"""A store that fails costs a warning: never results, never minutes, never a run left RUNNING."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from convlens import tracking
from convlens.tracking import store

PROJECT = """
import sys
from pathlib import Path
from convlens import tracking
from convlens.tracking import push
tracking.configure()
if "hang" in sys.argv:
    def hang(*_):
        print("inside", flush=True)
        sys.stdin.readline()
    push._values = hang
try:
    print(tracking.sync(Path(sys.argv[1]), "convnet"))
except tracking.TrackingUnavailable as error:
    print("unavailable:", error)
"""


@pytest.fixture
def trained(outputs):
    outputs.data()
    outputs.train()
    outputs.fresh_store()
    return outputs


@pytest.fixture
def project(trained):
    """Project in another process, with this environment and these words."""

    def start(*words, **environment):
        return subprocess.Popen(
            [sys.executable, "-c", PROJECT, trained.root, *words],
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
        assert "onnection refused" in unavailable(trained)


def test_slow_server(trained, monkeypatch):
    """It accepts connections and never answers; a shorter patience keeps the test short."""
    monkeypatch.setattr(store, "PROBE_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://me:s3cret@127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert "no answer" in unavailable(trained)
    assert float(store._SETTINGS["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10


def test_server_that_answers_500(trained, monkeypatch):
    server = Answering(lambda handler: handler.send_error(500))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    assert "500" in unavailable(trained)


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


def states(client):
    experiment = client.get_experiment_by_name("convlens")
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]


def test_locked_store(trained, monkeypatch):
    monkeypatch.setattr(store, "PROBE_SECONDS", 0.2)
    with sqlite3.connect(trained.root / "mlflow.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "no answer" in unavailable(trained)
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
def test_killed_projection_leaves_no_running_run_and_is_completed(trained, project, client, end):
    process = project("hang")
    assert process.stdout.readline() == "inside\n"
    process.send_signal(end)
    process.wait()
    assert states(client()) == ["FINISHED"]  # the training is over, whatever we know of it
    run_id = trained.sync("convnet")
    assert states(client()) == ["FINISHED"]
    run = client().get_run(run_id)
    assert run.data.metrics["loss"] == 1 / 3
    assert run.info.run_name == "convnet · drawn · not evaluated"


def test_two_projections_at_once_make_one_run(project, client):
    both = [project(), project()]
    ids = {process.communicate(timeout=120)[0].strip() for process in both}
    assert len(ids) == 1
    assert states(client()) == ["FINISHED"]
