"""Two clones and a server with artifacts and a certificate of its own, used as a team would."""

import datetime
import ipaddress
import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from convlens import cli, tracking
from convlens.tracking import push

pytestmark = pytest.mark.slow
MINE = ("models/convnet", "reports/convnet")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a CA of our own")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def address(server, certificate, empty_store, tmp_path_factory):
    place = tmp_path_factory.mktemp("served")
    shutil.copyfile(empty_store, place / "mlflow.db")
    tls = f"--ssl-certfile {certificate} --ssl-keyfile {certificate.with_name('key.pem')}"
    return server(
        ["server", "--backend-store-uri", f"sqlite:///{place / 'mlflow.db'}", "--host", "127.0.0.1",
         "--workers", "1", "--artifacts-destination", str(place / "files"), "--uvicorn-opts", tls],
        dict(os.environ), scheme="https", verify=str(certificate),
    )  # fmt: skip


@pytest.fixture
def secured(outputs, monkeypatch, address, certificate):  # noqa: ARG001 - it clears them first
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    return address


class Member:
    """Someone with a clone on a machine of their own."""

    def __init__(self, name, outputs, monkeypatch):
        self.name, self.outputs, self.monkeypatch = name, outputs, monkeypatch

    def git(self, *words):
        folder, who = self.outputs.root, f"user.name={self.name}"
        command = ["git", "-C", str(folder), "-c", who, "-c", "user.email=t@t", *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def __enter__(self):
        self.monkeypatch.setattr("convlens.runtime.cpu_name", lambda: f"{self.name}'s machine")
        self.monkeypatch.chdir(self.outputs.root)
        return self

    def __exit__(self, *_):
        pass

    def says(self, *words):
        done = CliRunner().invoke(cli.main, words)
        return done.exit_code, done.stdout, done.stderr


def test_two_clones_and_a_server(secured, outputs, client, tmp_path, root, monkeypatch):
    places = tmp_path / "a", tmp_path / "b"
    places[0].mkdir()
    a = Member("Ada", outputs.beside(places[0]), monkeypatch)
    a.git("init", "-q", "-b", "main")
    shutil.copy(root / "params.yaml", places[0])
    shutil.copy(root / ".gitignore", places[0])
    a.git("add", ".")
    a.git("commit", "-qm", "start")
    with a:
        a.outputs.data()
        mine = a.outputs.all("convnet")
        made_at = a.git("rev-parse", "HEAD")
        a.git("add", ".")
        a.git("commit", "-qm", "the convnet's results")
    subprocess.run(["git", "clone", "-q", places[0], places[1]], check=True)
    b = Member("Bob", outputs.beside(places[1]), monkeypatch)
    with b:
        shutil.copytree(places[0] / "data", places[1] / "data", dirs_exist_ok=True)  # `dvc pull`
        shutil.copytree(places[0] / "reports/data", places[1] / "reports/data")
        (places[1] / "code.py").write_text("b = 1\n")
        b.git("add", "code.py")
        b.git("commit", "-qm", "another commit")
        theirs = b.outputs.all("vgg16", weights="b" * 64)
        code, out, err = b.says("sync")  # has the convnet's numbers, not its model
        assert (code, theirs in out) == (1, True)
        assert "models/convnet/model.keras is not here: `dvc pull` or `make repro`" in err
        for folder in MINE:
            shutil.copytree(places[0] / folder, places[1] / folder, dirs_exist_ok=True)
        code, out, err = b.says("sync")
        assert (code, err) == (0, "")
        assert mine in out
        assert theirs in out
    read = client(secured)
    dumps = {run_id: read.get_run(run_id).to_dictionary() for run_id in (mine, theirs)}
    tags = dumps[mine]["data"]["tags"]
    assert tags["cpu"] == "Ada's machine"
    assert tags["git.commit"] == tags["mlflow.source.git.commit"] == made_at
    assert dumps[theirs]["data"]["tags"]["cpu"] == "Bob's machine"
    assert dumps[theirs]["data"]["tags"]["git.commit"] == b.git("rev-parse", "HEAD")
    assert len(read.search_runs([dumps[mine]["info"]["experiment_id"]])) == 3  # and the data's
    assert len(read.list_artifacts(mine, "images")) == 4
    assert dumps[mine]["info"]["artifact_uri"].startswith("mlflow-artifacts:/")
    moved = places[1].rename(tmp_path / "moved")
    b.outputs.root = moved
    with b:
        assert b.says("sync")[0] == 0
        code, out, _ = b.says("register", "convnet")
        assert (code, "version 1 is candidate and champion (first" in out) == (0, True)
        assert b.says("ui")[1] == f"the UI is at {secured}\n"
    assert not places[1].exists()
    assert {k: read.get_run(k).to_dictionary() for k in dumps} == dumps
    version = read.get_model_version("convlens-convnet", "1")
    assert "Ada's machine" in version.description


def test_without_the_certificate_it_says_why(outputs, address, monkeypatch, capfd):
    outputs.data()
    capfd.readouterr()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(tracking.TrackingUnavailable, match="certificate verify failed"):
        outputs.sync("data")
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    assert outputs.sync("data")


@pytest.mark.usefixtures("secured")
def test_a_server_that_dies_midway_costs_a_sentence(outputs, server, monkeypatch):
    outputs.data(digest="f" * 64)

    def die(*_):
        server.kill()
        return write(*_)

    write = push._values
    monkeypatch.setattr(push, "_values", die)
    with pytest.raises(tracking.TrackingUnavailable, match="onnection"):
        outputs.train(weights="f" * 64)
    assert (outputs.root / "models/convnet/provenance.json").exists()
    outputs.lock("train@convnet")
    monkeypatch.undo()
    outputs.fresh_store()
    assert outputs.sync("convnet")
