"""The trainings of a study, each in a folder of its own that looks like the repository.

Workers on several machines find features and folders on the disk that the repository is on.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens import params, paths, runtime, tracking
from convlens.engines import Batch, Engine, Function, survived
from convlens.files import read_csv, read_json, write_json
from convlens.paths import CHECKPOINTS, LOCAL, METRICS, PREPARED, base_weights
from convlens.progress import console, epochs
from convlens.training.checkpoint import TRAINS, code_digest
from variants import Variant, digest

WORK = LOCAL / "studies"
MEASURED, SECONDS = "measured.json", "seconds.json"


@dataclass(frozen=True)
class Training:
    """One training: what it makes stands in `folder` until the study has read it."""

    key: str
    variant: Variant
    folder: Path
    features: Path | None

    @property
    def trained(self) -> Path:
        """Where the trained net is."""
        return self.folder / paths.trained(self.variant.model)

    @property
    def history(self) -> list[dict[str, float]]:
        """What each epoch of the trained net was like."""
        rows = read_csv(self.trained / "history.csv")
        return [{key: float(value) for key, value in row.items()} for row in rows]

    def train(
        self,
        machine: runtime.Runtime,
        on_epoch: Sequence[Any] = (),
        stop_after: int | None = None,
    ) -> None:
        """Train; go on after the last epoch before the end of another process that did."""
        from convlens.training import convnet, transfer

        (self.folder / PREPARED).parent.mkdir(parents=True, exist_ok=True)
        if not (self.folder / PREPARED).exists():
            (self.folder / PREPARED).symlink_to(PREPARED.absolute())
        model, given, how = self.variant.model, self.variant.params, {
            "checkpoints": CHECKPOINTS, "on_epoch": on_epoch, "stop_after": stop_after,
        }  # fmt: skip
        if (self.trained / METRICS).exists():
            for row in self.history:
                for tell in on_epoch:
                    tell(row)
        elif self.features is None:
            convnet.train(given.convnet, machine, PREPARED, self.trained, **how)
        else:
            transfer.train(
                model, given.of(model), machine, PREPARED, base_weights(model), self.features,
                self.trained, **how,
            )  # fmt: skip

    def evaluate(self, machine: runtime.Runtime) -> dict[str, Any]:
        """Test the trained net; return what was measured of it."""
        from convlens.evaluation.evaluate import evaluate_model
        from convlens.gallery import evaluation as figures

        if (self.folder / MEASURED).exists():
            found: dict[str, Any] = read_json(self.folder / MEASURED)
            return found
        model = self.variant.model
        reports = self.folder / paths.evaluation(model)
        how = self.variant.params.evaluate
        result = evaluate_model(self.trained, PREPARED, reports, how, machine)
        figures.write(result, reports, title=model)
        numbers = read_json(self.trained / METRICS)
        found = read_json(reports / METRICS) | {
            "model": model,
            "val_accuracy": numbers["val_accuracy"],
            "val_loss": numbers["val_loss"],
            "seconds": round(sum(row["seconds"] for row in self.history), 1),
            "seconds_features": read_json(self.features / SECONDS) if self.features else 0.0,
        }
        write_json(self.folder / MEASURED, found)
        return found

    def track(self) -> None:
        """Put what is there into MLflow, as a run of this repository."""
        os.environ["DVC_ROOT"] = str(Path.cwd())  # the runs belong to the repository's store
        model, now = self.variant.model, self.variant.params.model_dump(mode="json")
        stages = {"train": self.trained, "evaluate": self.folder / paths.evaluation(model)}
        try:
            for stage, made in stages.items():
                if (made / METRICS).exists():
                    tracking.track(self.folder, f"{stage}@{model}", now)
        except tracking.TrackingUnavailable as error:
            print(f"warning: not tracked: {error}")

    def forget(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def plan(
    name: str, variants: Mapping[str, Variant], machine: runtime.Runtime, engine: Engine
) -> dict[str, Training]:
    """Return the trainings of `variants` by key, with the features that they want extracted."""
    place = WORK / name
    return {
        key: Training(key, variant, place / key[:16], _features(variant, machine, place, engine))
        for key, variant in variants.items()
    }


def _features(
    variant: Variant, machine: runtime.Runtime, place: Path, engine: Engine
) -> Path | None:
    """Extract features once for all runs that want the same; return where they are."""
    if variant.model == params.CONVNET:
        return None
    from convlens.training.features import extract_features

    net, how = variant.model, variant.params.features
    known = [read_json(paths.DATA)["digest"], machine.record(), code_digest(TRAINS)]
    folder = place / f"features-{digest(net, how.model_dump(), *known)[:16]}"
    if not (folder / SECONDS).exists():
        started = time.perf_counter()
        extract_features(
            net, how, machine, PREPARED, base_weights(net), folder, console, engine=engine
        )
        write_json(folder / SECONDS, round(time.perf_counter() - started, 1))
    return folder


def begin(home: Path, given: params.RuntimeParams) -> runtime.Runtime:
    """Have a worker's process find the repository, and set TensorFlow up."""
    os.chdir(home)
    return runtime.configure(given)


@dataclass(frozen=True)
class Runner:
    """Makes a worker's function of trainings; `worth`: the epochs a search has given to each."""

    given: params.RuntimeParams
    trainings: Mapping[str, Training]
    worth: Mapping[str, int] | None = None

    def __call__(self) -> Function:
        """Return what trains and tests, or just ends what a search has trained."""
        machine = runtime.configure(self.given)

        def run(block: Batch) -> Batch:
            import keras

            keras.utils.clear_session()  # what the training before held
            (key,) = block["training"]
            training, found = self.trainings[key], {}
            if self.worth is not None:
                training.train(machine, stop_after=self.worth[key])
            else:
                with epochs(training.variant.model, training.variant.epochs) as show:
                    training.train(machine, [show])
                found = training.evaluate(machine)
            return {"measured": np.array([found], object)}

        return run


def run_all(runner: Runner, engine: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and measured numbers of each training of `runner`, in order."""
    blocks = [{"training": np.array([key], object)} for key in runner.trainings]
    for number, done in engine.map(runner, blocks) if blocks else ():
        (measured,) = survived(done, blocks[number])["measured"]
        yield blocks[number]["training"][0], measured
