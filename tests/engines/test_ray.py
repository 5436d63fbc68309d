"""Ray's workers give what a loop gives, whatever happens to them."""

import io
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import ray
from PIL import Image

from convlens import engines
from convlens.data import stores, table
from convlens.engines.local import Local
from convlens.errors import InputError


def batches(count, rows=4):
    """Return `count` blocks: half-precision numbers, and names that aren't UTF-8."""
    return [
        {
            "x": np.arange(rows, dtype=np.float16) + k,
            "name": np.array([f"{k}-{row}\udcff" for row in range(rows)], object),
        }
        for k in range(count)
    ]


def equal(some, others):
    assert [number for number, _ in some] == [number for number, _ in others]
    for (_, one), (_, other) in zip(some, others, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name])


def doubling(folder, kill_at=None, pause=0.0, times=1):
    """Return what makes a function that kills its process at one number, `times` times."""

    def make():
        def function(block):
            time.sleep(pause)
            if kill_at is not None and kill_at in block["x"]:
                tries = len(list(Path(folder).glob("try*")))
                if tries < times:
                    (Path(folder) / f"try{tries}").touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            return {"twice": 2 * block["x"], "name": block["name"][::-1]}

        return function

    return make


def test_a_worker_killed_in_mid_batch_changes_nothing(engine, tmp_path):
    make = doubling(tmp_path, kill_at=6.0)
    equal(list(engine.map(make, batches(9))), list(Local().map(doubling(tmp_path), batches(9))))
    assert (tmp_path / "try0").exists()


def test_a_block_that_kills_every_worker_is_the_only_one_lost(engine, tmp_path):
    found = list(engine.map(doubling(tmp_path, kill_at=0.0, times=9), batches(9)))
    assert found[0] == (0, None)
    equal(found[1:], list(Local().map(doubling(tmp_path), batches(9)))[1:])


def test_workers_stay_for_the_next_function(engine):
    def make(factor):
        def function(block):
            return {"process": np.array([os.getpid()]), "x": factor * block["x"]}

        return lambda: function

    engine.workers = 1
    once, twice = ([result for _, result in engine.map(make(f), batches(3))] for f in (1, 2))
    assert len({int(result["process"][0]) for result in once + twice}) == 1
    for one, two in zip(once, twice, strict=True):
        np.testing.assert_array_equal(2 * one["x"], two["x"])


def test_a_node_that_leaves_changes_nothing(cluster, tmp_path):
    more = cluster.add_node(num_cpus=2, object_store_memory=80 * 2**20)
    found = []
    with engines.start("ray", workers=4) as wide:
        assert wide.workers == 4
        for number, result in wide.map(doubling(tmp_path, pause=0.3), batches(24)):
            found.append((number, result))
            if len(found) == 1:
                cluster.remove_node(more, allow_graceful=False)
    found.sort(key=lambda pair: pair[0])
    equal(found, list(Local().map(doubling(tmp_path), batches(24))))
    soon(lambda: ray.cluster_resources()["CPU"] == 2)


def soon(true, seconds=60):
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_user_s_mistake_arrives_as_it_was_raised(engine):
    def make():
        raise InputError("weights", expected="numbers", found="none", fix="get others")

    engine.workers = 1
    with pytest.raises(InputError, match="get others"):
        list(engine.map(make, batches(2)))


def scores(poison=(), pause=0.0):
    """Return what makes a function of a table; paths that hold a word of `poison` are deadly."""

    def make():
        def function(batch):
            time.sleep(pause)
            for path, reason in zip(batch["path"], batch["reason"], strict=True):
                if "killer" in path and "killer" in poison and not reason:
                    os.kill(os.getpid(), signal.SIGKILL)
                if "hungry" in path and "hungry" in poison and not reason:
                    raise MemoryError
                if "greedy" in path and "greedy" in poison and not reason:
                    raise type("ResourceExhaustedError", (Exception,), {})("TensorFlow's")
            bad = np.array([why or ("bad" in p) * "broken" for p, why in zip(
                batch["path"], batch["reason"], strict=True)], object)  # fmt: skip
            chance = np.array([len(path) / 100 for path in batch["path"]])
            chance[bad != ""] = np.nan
            return {"probability_a": chance, "reason": bad, "again": np.zeros(len(bad), bool)}

        return function

    return make


def paths(*more):
    return sorted([f"p{k:03d}.jpg" for k in range(30)] + ["bad.jpg", *more])


def column(names):
    return {"path": np.array(names, object)}


@pytest.fixture
def out(tmp_path):
    return stores.place(str(tmp_path / "scores.parquet"))


def written(out, make, engine=None, names=None, key="k"):
    made = table.write(
        nullcontext(engine or Local()), make, column(names or paths()), out, key, block=4
    )
    return made, out.read()


def test_what_kills_every_worker_is_listed_and_harms_no_other(engine, out, monkeypatch):
    monkeypatch.setattr("convlens.engines.ray.TRIES", 1)
    engine.workers = 1
    names = paths("p007-killer.jpg", "p019-hungry.jpg", "p023-greedy.jpg")
    made, content = written(out, scores(poison=("killer", "hungry", "greedy")), engine, names)
    assert made == table.Made(34, 4)
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    assert [row["path"] for row in rows] == names
    reasons = {row["path"]: row["reason"] for row in rows if row["reason"]}
    assert reasons == {
        "bad.jpg": "broken", "p007-killer.jpg": table.DIED, "p019-hungry.jpg": table.DIED,
        "p023-greedy.jpg": table.DIED,
    }  # fmt: skip
    good = [row["probability_a"] for row in rows if row["path"] not in reasons]
    assert good == [len(row["path"]) / 100 for row in rows if row["path"] not in reasons]


def test_stages_and_predict_give_the_same_bytes_on_both_engines(cluster, tmp_path):
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for k in range(table.BLOCK + 60):
        pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photos/{k:03d}.png")
    (tmp_path / "photos/broken.jpg").write_bytes(b"<html>")
    script = Path(__file__).with_name("both_engines.py")
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, check=True)
    for wanted in ("features.npy", "logits.npy", "scratch.npy", "scores.parquet"):
        local, far = (tmp_path / engine / wanted for engine in ("local", "ray"))
        assert far.read_bytes() == local.read_bytes(), wanted
    assert pq.read_table(tmp_path / "ray/scores.parquet").num_rows == table.BLOCK + 61
    near, far = (tmp_path / engine / "explain" for engine in ("local", "ray"))
    made = [file.relative_to(near) for file in near.rglob("*.*")]
    assert {len([f for f in made if f.suffix == kind]) for kind in (".csv", ".txt")} == {1}
    assert len([file for file in made if file.suffix == ".png"]) > 15
    for file in made:
        assert (far / file).read_bytes() == (near / file).read_bytes(), file
    features = np.load(tmp_path / "ray/features.npy")
    assert len({view.tobytes() for view in features}) == 3


DRIVER = """
import sys; sys.path[:0] = [{here!r}]
from contextlib import nullcontext
from convlens.data import stores, table
from test_ray import column, paths, scores
with engines.start("ray", workers=2) as engine:
    out = stores.place({out!r})
    table.write(nullcontext(engine), scores(pause=0.4), column(paths()), out, "k", block=4)
"""


def test_a_driver_that_is_killed_and_started_again_gives_the_same_table(driver, out, tmp_path):
    body = DRIVER.format(here=str(Path(__file__).parent), out=out.path)
    process = driver(body)
    parts = tmp_path / "scores.parquet.parts/k"
    soon(lambda: process.poll() is not None or len(list(parts.glob("*.parquet"))) >= 2)
    process.kill()
    process.wait()
    assert 2 <= len(list(parts.glob("*.parquet"))) < 8
    assert not out.size
    assert driver(body).wait() == 0
    again = out.read()
    assert not parts.exists()
    undisturbed = stores.place(str(tmp_path / "other.parquet"))
    assert again == written(undisturbed, scores())[1]
