"""Optimizers and learning rates, from parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlens.params import FitParams

if TYPE_CHECKING:
    import keras


def learning_rate(params: FitParams, steps_per_epoch: int) -> Any:
    """Return a constant, or linear warm-up to `learning_rate` then half a cosine down to 0.

    Source: Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5, no restart.
    """
    import keras

    if params.schedule == "constant":
        return params.learning_rate
    warmup = round(params.warmup_epochs * steps_per_epoch)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else params.learning_rate,
        decay_steps=params.epochs * steps_per_epoch - warmup,
        warmup_target=params.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def optimizer(params: FitParams, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Return AdamW (https://arxiv.org/abs/1711.05101; biases are not decayed) or RMSprop.

    With `ema` > 0 it also keeps the exponential moving average of the weights (Polyak), which
    becomes the model when the training ends.
    """
    import keras

    rate = learning_rate(params, steps_per_epoch)
    average = {"use_ema": params.ema > 0, "ema_momentum": params.ema or 0.99}
    if params.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, **average)
    adamw = keras.optimizers.AdamW(rate, weight_decay=params.weight_decay, **average)
    adamw.exclude_from_weight_decay(var_names=["bias"])
    return adamw
