"""A logged model, loaded and served by MLflow alone, says what the trained file says."""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import requests
from PIL import Image

from convlens.files import sha256, write_json

SIZE = 40
FRESH = """
import json, sys
import mlflow
import numpy as np
import pandas as pd
uri, cells = sys.argv[1], json.load(open(sys.argv[2]))
cells = [cell if isinstance(cell, str) else np.array(cell, np.uint8) for cell in cells]
model = mlflow.pyfunc.load_model(uri)
table = model.predict(pd.DataFrame({"image": cells}))
import convlens
print(json.dumps([convlens.__file__, table.to_dict("records")]))
"""


@pytest.fixture(scope="module")
def photos():
    """JPEG files of another size than the model's."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(3):
        small = Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8))
        content = io.BytesIO()
        small.point(lambda level, k=k: level // (k + 1)).resize(
            (90, 70), Image.Resampling.BICUBIC
        ).save(content, "JPEG")
        found.append(content.getvalue())
    return found


@pytest.fixture
def logged(outputs):
    """A real model with uneven answers, logged; its file and its environment for MLflow."""
    import keras

    from convlens.models import keras_file

    outputs.data()
    keras.utils.set_random_seed(3)
    images = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 255)(images)
    hidden = keras.layers.Conv2D(4, 3, activation="relu")(scaled)
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    logit = keras.layers.Dense(1, name="logit")(hidden)
    path = outputs.root / "model.keras"
    model = keras.Model(images, logit)
    model.get_layer("logit").set_weights([np.full((4, 1), 40.0), np.full(1, -5.0)])
    keras_file.save(model, path)
    outputs.trained_file = path.read_bytes()
    outputs.train()
    environment = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{outputs.root / 'mlflow.db'}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return path, os.environ | environment


def expected(path, photos):
    """Probabilities of dog by Keras alone, on the photos and on their pixels."""
    from convlens.data.decode import decode
    from convlens.models import keras_file

    model = keras_file.load(path)
    pixels = np.stack([decode(photo, SIZE).pixels for photo in photos])
    probabilities = 1 / (1 + np.exp(-model.predict_on_batch(pixels.astype(np.float32))[:, 0]))
    assert np.ptp(probabilities) > 0.1  # equality below must mean something
    return probabilities, pixels


def model_uri(client):
    experiment = client().get_experiment_by_name("convlens").experiment_id
    return f"models:/{client().search_logged_models([experiment])[0].model_id}"


def test_fresh_process_equals_the_trained_file(logged, photos, client, tmp_path):
    path, environment = logged
    probabilities, pixels = expected(path, photos)
    cells = [base64.b64encode(p).decode() for p in photos] + pixels.tolist()
    write_json(tmp_path / "cells.json", cells)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, model_uri(client), tmp_path / "cells.json"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, rows = json.loads(done.stdout.splitlines()[-1])
    assert "mlartifacts" in code  # the package logged with the model, not the installed one
    found = [row["probability_dog"] for row in rows]
    assert np.abs(found - np.tile(probabilities, 2)).max() < 1e-4
    assert [row["predicted"] for row in rows] == ["dog" if p > 0.5 else "cat" for p in found]


@pytest.mark.slow
def test_server_equals_the_trained_file(logged, photos, client, server):
    path, environment = logged
    probabilities, pixels = expected(path, photos)
    uri = model_uri(client)
    command = ["models", "serve", "-m", uri, "--env-manager", "local", "--host", "127.0.0.1"]
    address = server(command, environment, health="ping")
    plain = [base64.b64encode(p).decode() for p in photos]
    lines = [base64.encodebytes(p).decode() for p in photos]  # as `base64 file` prints: 76 a line
    web = [f"DATA:image/jpeg;base64,{quote(text)}" for text in plain]
    table = pd.DataFrame({"image": lines})
    for kind, body in {
        "records": {"dataframe_records": [{"image": text} for text in plain]},
        "lines of 76": {"dataframe_records": [{"image": text} for text in lines]},
        "data URI": {"dataframe_records": [{"image": text} for text in web]},
        "split": {"dataframe_split": table.to_dict("split")},
        "inputs": {"inputs": {"image": plain}},
        "instances": {"instances": [{"image": text} for text in plain]},
        "pixels": {"inputs": {"image": pixels.tolist()}},
        "CSV": table.to_csv(index=False),
    }.items():
        csv = {"data": body, "headers": {"Content-Type": "text/csv"}}
        form = csv if isinstance(body, str) else {"json": body}
        answer = requests.post(f"{address}/invocations", timeout=60, **form)
        assert answer.status_code == 200, f"{kind}: {answer.text}"
        found = [row["probability_dog"] for row in answer.json()["predictions"]]
        assert np.abs(found - probabilities).max() < 1e-4, kind
    wrong = {"dataframe_records": [{"image": "no photo at all"}]}
    answer = requests.post(f"{address}/invocations", json=wrong, timeout=60)
    assert answer.status_code == 400
    assert "image 0 expected: a photo as base64 text" in answer.json()["message"]


def test_the_schema_is_typed_and_a_table_may_hold_bytes(logged, photos, client, monkeypatch):
    import mlflow

    path, environment = logged
    monkeypatch.setenv("MLFLOW_TRACKING_URI", environment["MLFLOW_TRACKING_URI"])
    model = mlflow.pyfunc.load_model(model_uri(client))
    schema = model.metadata.signature.to_dict()
    assert json.loads(schema["inputs"]) == [{"type": "string", "name": "image", "required": True}]
    probabilities, _ = expected(path, photos)
    text = [base64.urlsafe_b64encode(p).decode().rstrip("=") for p in photos]
    for cells in (photos, text, [t.encode() for t in text], [memoryview(p) for p in photos]):
        for given in (pd.DataFrame({"image": cells}), {"image": cells}):
            found = model.predict(given)["probability_dog"]
            assert np.abs(found - probabilities).max() < 1e-4


def test_another_file_than_the_logged_one_is_refused(logged):
    from types import SimpleNamespace

    from convlens.errors import InputError
    from convlens.tracking.serving import ConvLensModel

    path, _ = logged
    config = {"sha256": sha256(path), "classes": ["cat", "dog"]}
    context = SimpleNamespace(artifacts={"model": str(path)}, model_config=config)
    ConvLensModel().load_context(context)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match="sha256"):
        ConvLensModel().load_context(context)


@pytest.mark.parametrize(
    "cell", ["!", base64.b64encode(b"no photo").decode(), [[1, 2], [3]], np.full((8, 8, 3), 1),
             np.full((SIZE, SIZE, 3), 300), None, [], np.full((SIZE, SIZE, 3), np.nan)],
)  # fmt: skip
def test_bad_image_is_named(cell):
    from convlens.data.cells import pixels
    from convlens.errors import InputError

    with pytest.raises(InputError, match="image 7"):
        pixels(cell, SIZE, 7)
