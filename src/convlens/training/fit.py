"""One training, read top-down: compile, resume, fit, report each epoch, check every step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from convlens.data.dataset import (
    Split,
    TrainingSource,
    plain_batches,
    steps_per_epoch,
    targets,
    untuned,
)
from convlens.data.dataset import training_batches as batches_of
from convlens.errors import InputError
from convlens.params import FitParams
from convlens.training import schedule
from convlens.training.checkpoint import Checkpoint, History
from convlens.training.memory import check_training_batch
from convlens.training.objective import objective

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

CURVES = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
HISTORY = (*CURVES, "seconds")
OnEpoch = Callable[[dict[str, float]], None]


def fit(
    model: keras.Model,
    source: TrainingSource,
    validation: Split,
    params: FitParams,
    *,
    checkpoint: Checkpoint | None = None,
    on_epoch: Sequence[OnEpoch] = (),
    stop_after: int | None = None,
) -> History:
    """Train `model` in place and return one row an epoch with the keys of `HISTORY`.

    `loss` and `val_loss` are log losses in nats, without label smoothing, so that both are
    comparable and equal what the evaluation reports. With EMA, validation and the final model
    use the averaged weights. With a `checkpoint`, a killed training continues after its last
    finished epoch with the same bits that it would have had.

    Parameters
    ----------
    stop_after
        Epochs after which a search has seen enough; the schedule stays that of `params.epochs`.

    Raises
    ------
    InputError
        Before the first step if a batch can't fit the memory; at the first step whose loss is
        not finite.
    """
    import keras

    check_training_batch(model, params.batch_size)
    steps = steps_per_epoch(source, params.batch_size)
    _compile(model, params, steps)
    history = checkpoint.restore(model) if checkpoint else []
    for row in history:
        _tell(on_epoch, row)
    last = min(params.epochs, stop_after or params.epochs)
    if len(history) < last:
        callbacks: list[keras.callbacks.Callback] = [_stop_when_not_finite(checkpoint)]
        if params.ema:
            callbacks.append(keras.callbacks.SwapEMAWeights())
        callbacks.append(_record(history, checkpoint, on_epoch))
        model.fit(
            batches_of(source, params.batch_size, params.seed, len(history), params.epochs),
            validation_data=_validation_batches(validation, params.batch_size),
            steps_per_epoch=steps,
            epochs=last,
            initial_epoch=len(history),
            callbacks=callbacks,
            shuffle=False,  # the source shuffles, by seed and epoch
            verbose=0,
        )
    else:  # killed between the last epoch and the results
        model.optimizer.finalize_variable_values(model.trainable_variables)
    return history


def _compile(model: keras.Model, params: FitParams, steps: int) -> None:
    loss, metrics = objective(model, params.label_smoothing)
    model.compile(
        optimizer=schedule.optimizer(params, steps),
        loss=loss,
        metrics=metrics,
        jit_compile=False,  # XLA's convolutions are slower on the CPU
    )
    model.optimizer.build(model.trainable_variables)
    _fuse_update(model.optimizer)


def _fuse_update(optimizer: keras.optimizers.Optimizer) -> None:
    """Let XLA make the update one pass over weights and moments, not a dozen: a third the time."""
    import tensorflow as tf

    update = optimizer.apply
    compiled: dict[tuple[int, ...], Callable[..., None]] = {}

    def apply(gradients: Sequence[tf.Tensor | None], variables: Any = None) -> None:
        moved = None if variables is None else tuple(variables)
        key = tuple(map(id, moved or ()))  # by identity: Keras' variables compare by value
        if key not in compiled:
            compiled[key] = tf.function(lambda given: update(given, moved), jit_compile=True)
        compiled[key](gradients)

    optimizer.apply = apply


def _validation_batches(split: Split, batch_size: int) -> tf.data.Dataset:
    import tensorflow as tf

    images = tf.TensorSpec((None, *split.images.shape[1:]), split.images.dtype)
    width = targets(split.labels[:1], len(split.classes)).shape[1]
    labels = tf.TensorSpec((None, width), tf.float32)
    batches = tf.data.Dataset.from_generator(
        lambda: plain_batches(split, batch_size),
        output_signature=(images, labels),
    )
    known = tf.data.experimental.assert_cardinality(-(-len(split) // batch_size))
    return untuned(batches.apply(known).prefetch(2))


def _record(
    history: History, checkpoint: Checkpoint | None, on_epoch: Sequence[OnEpoch]
) -> keras.callbacks.Callback:
    import keras

    class Record(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            row = {
                "epoch": epoch + 1,
                "loss": float(logs["log_loss"]),
                "accuracy": float(logs["accuracy"]),
                "val_loss": float(logs["val_log_loss"]),
                "val_accuracy": float(logs["val_accuracy"]),
                "learning_rate": float(self.model.optimizer.learning_rate),
                "seconds": round(time.perf_counter() - self.started, 3),
            }
            history.append(row)
            if checkpoint:
                checkpoint.save(self.model, history)  # can be killed from here on
            _tell(on_epoch, row)

    return Record()


def _stop_when_not_finite(checkpoint: Checkpoint | None) -> keras.callbacks.Callback:
    import keras

    class StopWhenNotFinite(keras.callbacks.Callback):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.epoch = epoch + 1

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            loss = float(logs["loss"])
            if math.isfinite(loss):
                return
            rate = float(self.model.optimizer.learning_rate)
            good = checkpoint.path if checkpoint and checkpoint.path.exists() else "none yet"
            raise InputError(
                f"training, epoch {self.epoch}, step {batch + 1}",
                expected="a finite loss",
                found=f"{loss} at learning rate {rate:g}; last good checkpoint: {good}",
                fix="lower the learning rate, or set runtime.precision to float32",
            )

    return StopWhenNotFinite()


def _tell(listeners: Sequence[OnEpoch], row: dict[str, float]) -> None:
    for listener in listeners:
        listener(row)
