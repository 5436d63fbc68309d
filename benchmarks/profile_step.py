"""Where a training step of the convnet spends its time, operation by operation.

    python benchmarks/profile_step.py [STEPS]

Random pixels at the size and batch of params.yaml; no data is needed. Operations that run side by
side count each, so the rows may add up to more than the step.
"""

import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from convlens import params, runtime
from convlens.text import aligned

KINDS = {"": "forward", "BackpropFilter": "kernel's gradient", "BackpropInput": "input's gradient"}
CONVOLUTION = re.compile(r"convnet\w*/pooled_(conv\d).*?/(?:convolution|Conv2D(Backprop\w+)):")
COMPILED = "CpuExecutable::ExecuteAsyncOnStream"  # what XLA compiled, as TensorFlow runs it


def trained_form(given: params.Params, policy: str) -> Any:
    """Return the convnet as the stage trains it, compiled."""
    from convlens.models import convnet
    from convlens.training.fit import _compile
    from convlens.training.fused import training_form

    model = training_form(convnet.build(given.convnet, given.data.image_size, policy))
    _compile(model, given.convnet, 100)
    return model


def events(model: Any, batch: tuple[Any, Any], steps: int) -> Counter[str]:
    """Return the milliseconds a step of everything that TensorFlow's profiler saw, by name."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for _ in range(2):  # the first one traces
        model.train_on_batch(*batch)
    space = xplane_pb2.XSpace()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(steps):
                with tf.profiler.experimental.Trace("step"):
                    model.train_on_batch(*batch)
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    found: Counter[str] = Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            found[name] += event.duration_ps / 1e9 / steps
    return found


def rows(found: Counter[str], model: Any, images: int) -> list[tuple[str, str, str]]:
    """Return what, milliseconds and GFLOP/s of each convolution, what XLA compiled, the step."""
    work = {
        layer.convolution.name: 2 * images * layer.convolution.kernel.numpy().size
        * np.prod(layer.convolution.compute_output_shape((1, *layer.input.shape[1:]))[1:3]) / 1e6
        for layer in model.layers if hasattr(layer, "convolution")
    }  # fmt: skip
    times: Counter[tuple[str, str]] = Counter()
    for name, ms in found.items():
        if match := CONVOLUTION.search(name):
            times[match[1], KINDS[match[2] or ""]] += ms
    table = [
        (f"{name} {kind}", f"{ms:.0f}", f"{work[name] / ms:.0f}")
        for (name, kind), ms in sorted(times.items())
    ]
    passes = ("maximum, bias, ReLU, both ways, and the update", f"{found[COMPILED]:.0f}", "")
    return [*table, passes, ("the whole step", f"{found['step']:.0f}", "")]


def main(steps: int) -> None:
    """Print the table."""
    given = params.load(Path("params.yaml"))
    machine = runtime.configure(given.runtime)
    model = trained_form(given, machine.policy)
    images, side = given.convnet.batch_size, given.data.image_size
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images, side, side, 3)).astype(np.float32)
    found = events(model, (pixels, rng.integers(0, 2, (images, 1)).astype(np.float32)), steps)
    print(f"{machine.cpu}, {machine.isa}, {machine.precision}, {images} images of {side} pixels")
    print(aligned([("operation", "ms", "GFLOP/s"), *rows(found, model, images)]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10)
