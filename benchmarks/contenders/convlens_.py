"""ConvLens, with the parameters of params.yaml, on the arrays and weights of the last run."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from stopwatch import Stopwatch

from convlens import params, runtime

PREPARED, WEIGHTS = Path("data/prepared"), Path("data/weights/vgg16_base.npz")


def convnet(given: params.Params, machine: runtime.Runtime, out: Path, epochs: int) -> None:
    """Train as the stage does."""
    from convlens.training import convnet as training

    changes = {"convnet.epochs": epochs, "convnet.warmup_epochs": 0.0}
    short = params.changed(given, changes, "bench").convnet
    watch = Stopwatch()
    training.train(short, machine, PREPARED, out, on_epoch=[watch.lap])
    watch.report(precision=machine.precision)


def waiting(given: params.Params, machine: runtime.Runtime, out: Path, epochs: int) -> None:
    """Count how long the steps of one of the convnet's epochs wait for their input."""
    del out, epochs
    Stopwatch().report(waiting=_share_of_waiting(given.convnet, machine))


def _share_of_waiting(short: params.ConvnetParams, machine: runtime.Runtime) -> float:
    from convlens.data.dataset import AugmentedImages, load_split, steps_per_epoch, training_batches
    from convlens.models import convnet as net
    from convlens.training import schedule
    from convlens.training.fused import training_form

    source = AugmentedImages(load_split(PREPARED, "train"), short.augment, short.seed)
    steps = steps_per_epoch(source, short.batch_size)
    model = training_form(net.build(short, source.split.images.shape[1], machine.policy))
    model.compile(schedule.optimizer(short, steps), loss="binary_crossentropy")
    batches = iter(training_batches(source, short.batch_size, short.seed, 0, 1))
    model.train_on_batch(*next(batches))
    waited, started = 0.0, time.perf_counter()
    for _ in range(steps - 1):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        model.train_on_batch(*batch)
    return waited / (time.perf_counter() - started)


def vgg16(given: params.Params, machine: runtime.Runtime, out: Path, epochs: int) -> None:
    """Extract the features of all views once, then train the head on them."""
    from convlens.training.features import extract_features
    from convlens.training.vgg16 import train

    changes = {"vgg16.epochs": epochs, "features.layer": "block5_pool", "vgg16.fine_tune.epochs": 0}
    long = params.changed(given, changes, "bench")
    watch = Stopwatch()
    watch.lap()
    extract_features(long.features, machine, PREPARED, WEIGHTS, out / "features")
    watch.lap()
    features = out / "features"
    train(long.vgg16, long.features, machine, PREPARED, WEIGHTS, features, out)
    watch.lap()
    watch.report(precision=machine.precision, views=long.features.views)


def main(name: str, epochs: int, precision: str) -> None:
    """Train into a folder that is thrown away."""
    changes = {"runtime.precision": precision}
    given = params.changed(params.load(Path("params.yaml")), changes, "bench")
    machine = runtime.configure(given.runtime)
    work: Any = {"convnet": convnet, "vgg16": vgg16, "waiting": waiting}[name]
    with tempfile.TemporaryDirectory() as out:
        work(given, machine, Path(out), epochs)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[3]), sys.argv[4])
