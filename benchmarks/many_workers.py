"""Do Ray's workers keep up with plain processes? Images a second of one and two, on both engines.

python benchmarks/many_workers.py PHOTOS [--count 2000] [--size 64] [--rounds 2]

Scoring: the trained convnet on photos of the folder PHOTOS. Extraction: VGG16's base on random
views of random images of `size` pixels. Each worker has one thread. Rates are steady ones: from
the end of a worker's first block to that of its last, summed over workers. Plain processes are
started at the same moment, each with its share of the blocks. Writes results to stdout as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from convlens import engines, params
from convlens.data import table
from convlens.data.dataset import Split
from convlens.data.reading import Sources
from convlens.engines import Batch, Function
from convlens.evaluation.scoring import MakePhotoScorer
from convlens.models import heads

MODEL = Path("models/convnet/model.keras")


def scorer() -> Function:
    """Make the scoring function."""
    names = heads.load_names(MODEL.parent)
    return MakePhotoScorer(MODEL, MODEL.read_bytes(), names, Sources(Path.cwd()))()


def extractor(images: Path, how: params.FeaturesParams) -> Function:
    """Make the function of VGG16's features; the weights' values change no speed."""
    import keras

    from convlens.training.features import _ViewFeatures

    data = np.load(images, mmap_mode="r")
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=data.shape[1:])
    return _ViewFeatures(base, Split(data, np.zeros(len(data), np.uint8), ("a", "b")), how)


def spans(count: int, size: int) -> list[Any]:
    """Return the rows of each block, as the commands take them."""
    return [np.arange(k, min(k + size, count)) for k in range(0, count, size)]


def timed(make: Any) -> Function:
    """Make a function that also says where and when a block was done, and the memory then."""
    function = make()

    def run(block: Batch) -> Batch:
        function(block)
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
        status = dict(line.split(":", 1) for line in lines)
        memory = [int(status[key].split()[0]) / 1024 for key in ("Rss", "Pss")]
        own = [os.getpid(), time.time(), len(block["row"]), time.process_time()]
        return {"seen": np.array([[*own, *memory]])}

    return run


def rate(seen: list[Any]) -> dict[str, float]:
    """Return images a second over all workers, and an image's CPU time; the largest's memory."""
    rows = np.concatenate(seen)
    total, used = 0.0, []
    for process in np.unique(rows[:, 0]):
        own = rows[rows[:, 0] == process]
        count = own[1:, 2].sum()
        total += count / (own[-1, 1] - own[0, 1])
        used.append((own[-1, 3] - own[0, 3]) / count)
    middle, end = rows[len(rows) // 2], rows[-1]
    return {
        "images/s": round(float(total), 2), "cpu_ms": round(1000 * float(np.mean(used)), 2),
        "rss_mib": round(rows[:, 4].max()), "pss_mib": round(rows[:, 5].max()),
        "pss_growth_mib": round(float(end[5] - middle[5]), 1),
    }  # fmt: skip


def by_engine(name: str, workers: int, make: Any, blocks: list[Batch]) -> list[Any]:
    """Run the blocks on an engine of one thread a worker."""
    runtime = params.RuntimeParams(precision="float32", threads=1, engine=name, workers=workers)
    with engines.of(runtime) as engine:
        return [done["seen"] for _, done in engine.map(partial(timed, make), blocks) if done]


def by_hand(processes: int, make: Any, blocks: list[Batch]) -> list[Any]:
    """Run the blocks in plain processes, each with every n-th block."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for k in range(processes):
            job, out = Path(folder) / f"{k}.in", Path(folder) / f"{k}.out"
            job.write_bytes(pickle.dumps((make, blocks[k::processes])))
            command = [sys.executable, __file__, "--job", str(job), "--out", str(out), "."]
            # sessions of their own, as Ray's workers have: Linux shares the CPUs out by session
            running.append((subprocess.Popen(command, start_new_session=True), out))
        return [seen for process, out in running if process.wait() == 0
                for seen in pickle.loads(out.read_bytes())]  # fmt: skip


@click.command(help=__doc__)
@click.argument("photos", type=click.Path(path_type=Path))
@click.option("--count", default=2000)
@click.option("--size", default=64)
@click.option("--rounds", default=2)
@click.option("--only", type=click.Choice(["scoring", "extraction"]))
@click.option("--job", type=click.Path(path_type=Path), hidden=True)
@click.option("--out", type=click.Path(path_type=Path), hidden=True)
def main(
    photos: Path,
    count: int,
    size: int,
    rounds: int,
    only: str | None,
    job: Path | None,
    out: Path | None,
) -> None:
    """Measure, or be one of the plain processes."""
    if job and out:
        import many_workers  # by its name, as it was pickled

        make, blocks = pickle.loads(job.read_bytes())
        out.write_bytes(pickle.dumps(many_workers.by_engine("local", 0, make, blocks)))
        return
    import many_workers as here

    names = sorted(map(str, photos.rglob("*.jpg")))[:count]
    how = params.load(Path("params.yaml")).features
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        shape = (count, size, size, 3)
        np.save(images, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        work = {
            "scoring": (here.scorer, [
                {"row": span, "path": np.array([names[k % len(names)] for k in span], object)}
                for span in here.spans(count, table.BLOCK)
            ]),
            "extraction": (partial(here.extractor, images, how), [
                {"row": span, "view": np.full(len(span), 1)}
                for span in here.spans(count, how.batch_size)
            ]),
        }  # fmt: skip
        found: dict[str, Any] = {"load_before": os.getloadavg(), "count": count, "size": size}
        for what, (make, blocks) in work.items():
            if only not in (None, what):
                continue
            for number in range(1, rounds + 1):
                for workers in (1, 2):
                    plain = rate(here.by_hand(workers, make, blocks))
                    ray = rate(here.by_engine("ray", workers, make, blocks))
                    share = {
                        "rate": round(ray["images/s"] / plain["images/s"], 3),
                        "cpu": round(plain["cpu_ms"] / ray["cpu_ms"], 3),
                    }
                    key = f"{what}, {workers} worker(s), round {number}"
                    found[key] = {"plain": plain, "ray": ray, "ray / plain": share}
                    click.echo(f"{key}: {found[key]}", err=True)
        found["load_after"] = os.getloadavg()
    click.echo(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
