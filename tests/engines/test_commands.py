"""Commands over many photos: what they write, and object stores that fail. One process suffices."""

import io
import json
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image
from s3_server import Bucket, serving

from convlens import engines, params
from convlens.cli import main
from convlens.data import stores
from convlens.engines.cluster import _connect
from convlens.engines.local import Local
from convlens.errors import InputError
from convlens.models import convnet, heads, keras_file


@pytest.fixture(autouse=True)
def unchanged(monkeypatch):
    """TensorFlow has begun in this process, and keeps its threads."""
    monkeypatch.setattr("convlens.runtime.configure", lambda runtime: runtime)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A model of 48 pixels, and photos: 20 good ones, an HTML page, and an empty file."""
    folder = tmp_path_factory.mktemp("many")
    real = params.load(Path(__file__).resolve().parents[2] / "params.yaml")
    keras_file.save(convnet.build(real.convnet, 48), folder / "models/convnet/model.keras")
    heads.save_names(folder / "models/convnet", ["cat", "dog"])
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for k in range(20):
        pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"photos/{k:02d}.png")
    (folder / "photos/broken.jpg").write_bytes(b"<html>not found</html>")
    (folder / "photos/empty.jpg").touch()
    return folder


def predict(here, *words):
    usual = ["--model", "convnet", "--models", here / "models"]
    return CliRunner().invoke(main, ["predict", *map(str, [*words, *usual])])


def rows(file):
    return pq.read_table(file).to_pylist()


def test_the_table_says_what_is_printed_otherwise(here, tmp_path):
    done = predict(here, here / "photos", "--out", tmp_path / "s.parquet")
    assert done.exit_code == 1, done.output
    assert "22 photos in" in done.output
    found = rows(tmp_path / "s.parquet")
    assert list(found[0]) == ["path", "probability_cat", "probability_dog", "reason"]
    reasons = {Path(row["path"]).name: row["reason"] for row in found if row["reason"]}
    assert reasons == {"broken.jpg": "not an image", "empty.jpg": "empty"}
    printed = json.loads(predict(here, here / "photos", "--format", "json").stdout)
    good = [row for row in found if not row["reason"]]
    assert [row["path"] for row in good] == [row["path"] for row in printed]
    expected = [row["probability_dog"] for row in printed]
    assert [row["probability_dog"] for row in good] == pytest.approx(expected, abs=1e-6)


@pytest.fixture
def store(here, monkeypatch):
    """The photos in a bucket: the bucket, and the end of its addresses."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.01, 0.01))
    files = sorted((here / "photos").iterdir())
    bucket = Bucket({f"pets/{file.name}": file.read_bytes() for file in files})
    with serving(bucket) as query:
        yield bucket, query


def test_a_bucket_that_fails_now_and_then_gives_what_the_folder_gives(here, store, tmp_path):
    bucket, query = store
    predict(here, here / "photos", "--out", tmp_path / "s.parquet")
    bucket.failures = {"pets/03.png": 2, "pets/11.png": 3, "PUT out/s.parquet": 1}
    bucket.pause = 0.02
    done = predict(here, f"s3://photos/pets?{query}", "--out", f"s3://photos/out/s.parquet?{query}")
    assert done.exit_code == 1, done.output
    far, near = rows(io.BytesIO(bucket.objects["out/s.parquet"])), rows(tmp_path / "s.parquet")
    assert [row.pop("path") for row in far] == [
        f"s3://photos/pets/{Path(row.pop('path')).name}" for row in near
    ]
    assert far == near
    assert [key for key in bucket.objects if ".parts" in key] == []


def test_what_a_bucket_never_gave_is_listed_and_asked_for_again(here, store, tmp_path):
    bucket, query = store
    out = tmp_path / "s.parquet"
    # longer than the photo: the one answer that Amazon's client doesn't ask for again by itself
    bucket.failures, bucket.sorry = {"pets/03.png": 99}, "sorry " * 1000
    predict(here, f"s3://photos/pets?{query}", "--out", out)
    reasons = {row["path"]: row["reason"] for row in rows(out) if row["reason"]}
    assert reasons.pop("s3://photos/pets/03.png").startswith("the store failed: ")
    assert len(rows(out)) == 22
    assert len(reasons) == 2
    bucket.failures = {}
    predict(here, f"s3://photos/pets?{query}", "--out", out)
    assert len([row for row in rows(out) if row["reason"]]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.parquet"]


class Far(Local):
    """Gets its function as a worker on another machine does."""

    def map(self, make, blocks):
        return super().map(pickle.loads(pickle.dumps(make)), blocks)


def test_explain_writes_pictures_and_a_table_wherever_it_is_told_to(
    here, store, tmp_path, monkeypatch
):
    bucket, query = store
    monkeypatch.setattr("convlens.engines.local.Local", Far)
    (tmp_path / "few").mkdir()
    for name in ("00.png", "broken.jpg"):
        shutil.copy(here / "photos" / name, tmp_path / "few")
    bucket.objects = {f"pets/{p.name}": p.read_bytes() for p in (tmp_path / "few").iterdir()}
    words = ["--model", "convnet", "--models", here / "models", "--engine", "local", "--out"]
    for photos, out in (
        (tmp_path / "few", tmp_path / "seen"),
        (f"s3://photos/pets?{query}", f"s3://photos/seen?{query}"),
    ):
        done = CliRunner().invoke(main, ["explain", *map(str, [photos, *words, out])])
        assert done.exit_code == 1, done.output
    near = {p.relative_to(tmp_path).as_posix(): p for p in (tmp_path / "seen").rglob("*.*")}
    assert near.keys() == {key for key in bucket.objects if key.startswith("seen/")}
    pictures = [key for key in near if key.endswith(".png")]
    assert len(pictures) == 3
    assert all(near[key].read_bytes() == bucket.objects[key] for key in pictures)
    (good, bad) = rows(tmp_path / "seen/explained.parquet")
    assert list(good) == ["path", "folder", "probability_cat", "probability_dog", "reason"]
    assert good["folder"] == pictures[0].removeprefix("seen/").rpartition("/")[0]
    assert (bad["probability_cat"], bad["reason"]) == (None, "not an image")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["s3://photos/nowhere?{query}", "--out", "s.parquet"], "nothing there"),
        (["s3://photos/pets?{query}"], "add e.g. --out"),
        (["photos", "--engine", "ray"], "add e.g. --out"),
        (["gopher://photos", "--out", "s.parquet"], "a file system of pyarrow"),
        (["photos", "--out", "photos/00.png/s.parquet"], "mend that and run again"),
    ],
)
def test_a_mistake_is_one_clear_message(here, store, monkeypatch, words, said):
    monkeypatch.chdir(here)
    done = predict(here, *(word.format(query=store[1]) for word in words))
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_without_ray_the_message_says_how_to_get_it(here, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = predict(here, here / "photos", "--engine", "ray", "--out", tmp_path / "s.parquet")
    assert done.exit_code == 2
    assert "pip install 'convlens[ray]'" in done.output
    assert engines.start("local")


def test_two_commands_on_a_machine_have_a_cluster_each(monkeypatch):
    asked = []
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray.init", lambda **options: asked.append(options))
    _connect(2, 1)
    assert (asked[0]["address"], asked[0]["num_cpus"]) == ("local", 2)


def test_a_cluster_that_is_not_there_is_one_message_at_once(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(InputError, match=r"RAY_ADDRESS=127\.0\.0\.1:1"):
        _connect(None, 1)
