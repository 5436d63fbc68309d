"""The small convnet's training as one function of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from convlens.data.dataset import AugmentedImages, load_split
from convlens.models import convnet
from convlens.params import ConvnetParams
from convlens.runtime import Runtime
from convlens.training.checkpoint import Checkpoint, fingerprint
from convlens.training.fit import OnEpoch, fit
from convlens.training.fused import training_form
from convlens.training.results import write


def train(
    params: ConvnetParams,
    runtime: Runtime,
    prepared: Path,
    out: Path,
    *,
    checkpoints: Path | None = None,
    on_epoch: Sequence[OnEpoch] = (),
    stop_after: int | None = None,
) -> None:
    """Train on `prepared`'s arrays and write model, curves, history and metrics into `out`."""
    train_split, validation = load_split(prepared, "train"), load_split(prepared, "validation")
    size, classes = train_split.images.shape[1], train_split.classes
    model = convnet.build(params, size, runtime.policy, len(classes))
    checkpoint = None
    if checkpoints:
        settings = params.model_dump() | runtime.record()
        data = (train_split.images, train_split.labels, validation.images, validation.labels)
        checkpoint = Checkpoint(checkpoints, fingerprint(settings, data))
    source = AugmentedImages(train_split, params.augment, params.seed)
    form = training_form(model)
    history = fit(
        form, source, validation, params,
        checkpoint=checkpoint, on_epoch=on_epoch, stop_after=stop_after,
    )  # fmt: skip
    write(out, model, history, runtime, classes)
    if checkpoint:
        checkpoint.remove()
