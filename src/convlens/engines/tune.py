"""A search: Ray Tune's ASHA decides how many epochs each of many trainings is worth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convlens.engines.ray import TRIES, Ray

LOSS = "val_loss"
KEPT = 2  # one of so many goes on beyond each rung
Tell = Callable[[Mapping[str, float]], None]
Seen = dict[int, int | None]


def asha(
    engine: Ray,
    run: Callable[[int, Tell], None],
    trials: int,
    *,
    epochs: int,
    grace: int,
    folder: Path,
    heard: Callable[[int, int, float], None] = lambda *_: None,
) -> Seen:
    """Run trainings 0 to `trials` - 1 side by side, and stop those that fall behind.

    A training that is among the worse half of those that came as far, by validation log loss after
    `grace`, 2 `grace`, 4 `grace` … epochs, is stopped there; nobody waits for the others (Li et al.
    2020, A System for Massively Parallel Hyperparameter Tuning). One that is run again after its
    worker or the driver was killed has to tell its first epochs again, and is judged by them again.

    Parameters
    ----------
    run
        Trains one of them and tells of each epoch with a row that has `val_loss`, up to `epochs`.
        It does not return from telling once it is stopped. Picklable.
    folder
        Where Tune keeps its books, on a disk that all machines share.
    heard
        Told here of each training that has ended: its number, its epochs, its last loss.

    Returns
    -------
    dict
        Number to the epochs it was worth; None if it killed every worker.
    """
    from ray import tune
    from ray.exceptions import RayActorError
    from ray.tune.schedulers import ASHAScheduler

    def trial(config: dict[str, Any]) -> None:
        run(config["number"], lambda row: tune.report({LOSS: row[LOSS]}))

    class Listener(tune.Callback):  # type: ignore[misc]
        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:  # noqa: ARG002
            last = trial.last_result
            if LOSS in last:
                heard(trial.config["number"], last["training_iteration"], last[LOSS])

    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": engine.threads}),
        param_space={"number": tune.grid_search(list(range(trials)))},
        tune_config=tune.TuneConfig(
            metric=LOSS, mode="min", max_concurrent_trials=engine.workers,
            scheduler=ASHAScheduler(
                max_t=epochs, grace_period=min(grace, epochs), reduction_factor=KEPT
            ),
        ),
        run_config=tune.RunConfig(
            name=folder.name, storage_path=str(folder.parent.absolute()), verbose=0,
            failure_config=tune.FailureConfig(max_failures=TRIES - 1), callbacks=[Listener()],
        ),
    )  # fmt: skip
    with _silenced("ray.tune"):
        found = tuner.fit()
    seen: Seen = {}
    for result in found:
        if result.error and not isinstance(result.error, RayActorError):
            raise result.error
        last = (result.metrics or {}).get("training_iteration", 0)
        seen[result.config["number"]] = None if result.error else last
    return seen


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Let the logger `name` say nothing."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
