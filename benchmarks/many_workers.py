"""Do Ray's workers keep up with plain processes? Images a second of one and two, on both engines.

python benchmarks/many_workers.py PHOTOS    # 7 minutes; on a machine with nothing else to do

Scoring: the trained convnet on photos of the folder PHOTOS. Extraction: VGG16's base on random
views of random images of `size` pixels. Each worker has one thread; plain processes run the same
function over every n-th block by the local loop, which is all that they share with Ray's.

Start-up is left out on both sides in the same way: workers wait for each other before the first
block, in which the net is traced, and a worker's rate is from the end of its first block to that of
its last. The rates of the workers are added. Every second round has the opposite order, so that
what drifts on a machine is shared. Writes benchmarks/many_workers.json.
"""

from __future__ import annotations

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
from convlens.files import write_json
from convlens.models import heads
from convlens.runtime import cpu_name

MODEL = Path("models/convnet/model.keras")
OUT = Path("benchmarks/many_workers.json")
BATCH = 16  # images a step of VGG16: what docs/scale.md recommends where memory is short
MEMORY = ("rss", "pss", "uss")


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


def timed(make: Any, meeting: Path, workers: int) -> Function:
    """Make a function that also says where and when a block was done, and the memory then."""
    function = make()
    (meeting / f"{os.getpid()}").touch()
    while len(list(meeting.iterdir())) < workers:
        time.sleep(0.01)

    def run(block: Batch) -> Batch:
        function(block)
        own = [os.getpid(), time.time(), len(block["row"]), time.process_time()]
        return {"seen": np.array([[*own, *memory()]])}

    return run


def memory() -> list[float]:
    """Return this process' MiB: resident, its fair share of that (PSS), what is its own (USS)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    found = {key: int(rest.split()[0]) / 1024 for key, rest in (line.split(":") for line in lines)}
    return [found["Rss"], found["Pss"], found["Private_Clean"] + found["Private_Dirty"]]


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
        **{f"{kind}_mib": round(rows[:, 4 + k].max()) for k, kind in enumerate(MEMORY)},
        "uss_growth_mib": round(float(end[6] - middle[6]), 1),
    }  # fmt: skip


def by_engine(name: str, workers: int, make: Any, blocks: list[Batch]) -> list[Any]:
    """Run the blocks on an engine of one thread a worker."""
    runtime = params.RuntimeParams(precision="float32", threads=1, engine=name, workers=workers)
    with engines.of(runtime) as engine:
        return [done["seen"] for _, done in engine.map(make, blocks) if done]


def on_ray(workers: int, make: Any, blocks: list[Batch]) -> list[Any]:
    """Run the blocks on Ray."""
    return by_engine("ray", workers, make, blocks)


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


def measured(way: Any, workers: int, make: Any, blocks: list[Batch]) -> dict[str, float]:
    """Run the blocks one way."""
    with tempfile.TemporaryDirectory() as meeting:
        make = partial(sys.modules["many_workers"].timed, make, Path(meeting), workers)
        return rate(way(workers, make, blocks))


def compared(rounds: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Return the mean rates of both, what Ray's is of the other, and every round."""
    mean = {
        name: round(float(np.mean([each[name]["images/s"] for each in rounds])), 2)
        for name in ("plain", "ray")
    }
    share = {
        key: round(float(np.mean([each["ray"][key] / each["plain"][key] for each in rounds])), 3)
        for key in ("images/s", "cpu_ms")
    }
    return {"images/s": mean, "ray / plain": share, "rounds": rounds}


@click.command(help=__doc__)
@click.argument("photos", type=click.Path(path_type=Path))
@click.option("--count", default=2048, show_default=True)
@click.option("--size", default=64, show_default=True)
@click.option("--rounds", default=2, show_default=True)
@click.option("--only", type=click.Choice(["scoring", "extraction"]))
@click.option("--job", type=click.Path(path_type=Path), hidden=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(
    photos: Path, count: int, size: int, rounds: int, only: str | None, job: Path | None, out: Path
) -> None:
    """Measure, or be one of the plain processes."""
    import many_workers as here  # by its name: main is another module to those who unpickle

    if job:
        out.write_bytes(pickle.dumps(here.by_engine("local", 0, *pickle.loads(job.read_bytes()))))
        return
    names = sorted(map(str, photos.rglob("*.jpg")))[:count]
    os.environ.update(RAY_worker_niceness="0")  # as a plain process has; 15 by default
    how = params.load(Path("params.yaml")).features.model_copy(update={"batch_size": BATCH})
    found: dict[str, Any] = {
        "command": f"python benchmarks/many_workers.py PHOTOS --count {count} --size {size}",
        "cpu": cpu_name(), "load_before": os.getloadavg(),
    }  # fmt: skip
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
        if min(len(blocks) for _, blocks in work.values()) < 4:
            raise click.UsageError("--count: each of two workers needs two blocks and more")
        ways = {"plain": here.by_hand, "ray": here.on_ray}
        for what, job_of in work.items():
            for workers in (1, 2) if only in (None, what) else ():
                done: list[dict[str, dict[str, float]]] = []
                for turn in range(rounds):
                    order = sorted(ways, reverse=bool(turn % 2))
                    done.append({name: measured(ways[name], workers, *job_of) for name in order})
                    click.echo(f"{what}, {workers}: {done[-1]}", err=True)
                found[f"{what}, {workers} worker(s)"] = compared(done)
    found["load_after"] = os.getloadavg()
    write_json(out, found)


if __name__ == "__main__":
    main()
