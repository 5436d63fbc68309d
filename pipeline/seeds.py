"""Train the models of params.yaml over several seeds; keep the runs in MLflow.

Run the pipeline first: data and features are those of the last `dvc repro`. Writes
docs/results/NAME.json; for the recipe `drawn` also docs/band.json, which `make verify` holds
other machines to.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from convlens import params, runtime, tracking
from convlens.errors import InputError
from convlens.evaluation.seeds import band, study
from convlens.files import read_csv, read_json, write_json
from convlens.progress import epochs
from convlens.reproduce import BANDED
from stage import BASE_WEIGHTS, CHECKPOINTS, FEATURES, PARAMS, PREPARED

RESULTS = Path("docs/results")


@click.command(help=__doc__)
@click.argument("name")
@click.option("--count", default=3, show_default=True, help="how many seeds")
@click.option("--model", "models", multiple=True, default=params.MODELS, help="only this model")
def main(name: str, count: int, models: tuple[str, ...]) -> None:
    """Train, evaluate, track and summarise."""
    try:
        _study(name, count, models)
    except InputError as error:
        sys.exit(f"seeds: {error}")


def _study(name: str, count: int, models: tuple[str, ...]) -> None:
    given = params.load(PARAMS)
    machine = runtime.configure(given.runtime)
    found: dict[str, list[dict[str, Any]]] = {model: [] for model in models}
    for model in models:
        for seed in range(1, count + 1):
            section = getattr(given, model).model_copy(update={"seed": seed})
            changed = given.model_copy(update={model: section})
            found[model].append(_run(model, changed, machine))
            row = found[model][-1]
            print(f"{model} seed {seed}: accuracy {row['accuracy']:.4f}, {row['seconds']:.0f} s")
    result = {
        "command": f"python pipeline/seeds.py {name} --count {count}",
        "params": given.model_dump(mode="json", exclude={"data": {"archive"}}),
        "machine": machine.record(),
        "data": read_json(PREPARED / "data.json")["digest"],
        "models": {
            model: study(runs, given.evaluate.confidence)
            | {"seconds": [run["seconds"] for run in runs], "n": runs[0]["n"]}
            | {"val_accuracy": [run["val_accuracy"] for run in runs]}
            for model, runs in found.items()
        },
    }
    write_json(RESULTS / f"{name}.json", result)
    if name == "drawn":
        bands = {m: {key: band(runs, key) for key in BANDED} for m, runs in found.items()}
        write_json(Path("docs/band.json"), bands)


def _run(model: str, given: params.Params, machine: runtime.Runtime) -> dict[str, Any]:
    """Train and evaluate in a folder that looks like the repository; return the test metrics."""
    from convlens.evaluation.evaluate import evaluate_model
    from convlens.figures import evaluation
    from convlens.training import convnet, vgg16

    home = Path.cwd()
    os.environ["DVC_ROOT"] = str(home)  # the runs belong to the repository's store
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "data").mkdir()
        (root / "data/prepared").symlink_to(home / PREPARED)
        out = root / "models" / model
        total = _epochs_of(given, model)
        with epochs(model, total) as show:
            if model == "convnet":
                convnet.train(
                    given.convnet, machine, PREPARED, out, checkpoints=CHECKPOINTS, on_epoch=[show]
                )
            else:
                vgg16.train(
                    given.vgg16, given.features, machine, PREPARED, BASE_WEIGHTS, FEATURES, out,
                    checkpoints=CHECKPOINTS, on_epoch=[show],
                )  # fmt: skip
        reports = root / "reports" / model / "evaluation"
        result = evaluate_model(out, PREPARED, reports, given.evaluate, machine)
        evaluation.write(result, reports, title=model)
        try:
            tracking.sync(root, "convnet" if model == "convnet" else "vgg16", given)
        except tracking.TrackingUnavailable as error:
            print(f"warning: not tracked: {error}")
        seconds = sum(float(row["seconds"]) for row in read_csv(out / "history.csv"))
        last = read_json(out / "metrics.json")
        return read_json(reports / "metrics.json") | {
            "seconds": round(seconds, 1),
            "val_accuracy": last["val_accuracy"],
        }


def _epochs_of(given: params.Params, model: str) -> int:
    """Return how many epochs the training of `model` has."""
    tuned = given.vgg16.fine_tune.epochs if model == "vgg16" else 0
    return int(getattr(given, model).epochs) + tuned


if __name__ == "__main__":
    main()
