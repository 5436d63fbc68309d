"""Train over several seeds and keep every run in MLflow: a recipe, or the variants of a study.

NAME is a file of studies/, or else the name under which params.yaml as it stands is measured.
Run `dvc repro prepare fetch_weights` first. Writes docs/results/NAME.json after each run, so an
interrupted study goes on where it stopped; a study's figure is docs/figures/study_NAME.png. For the
recipe `drawn` it also writes docs/band.json, which `make verify` holds other machines to.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from convlens import params, paths, runtime, tracking
from convlens.errors import InputError
from convlens.evaluation import studies
from convlens.files import read_csv, read_json, write_json
from convlens.paths import CHECKPOINTS, METRICS, PARAMS, PREPARED, base_weights
from convlens.progress import console, epochs
from convlens.reproduce import BANDED
from convlens.training.checkpoint import TRAINS, code_digest
from recipe import overrides_between

RESULTS, FIGURES = Path("docs/results"), Path("docs/figures")
BAND = Path("docs/band.json")
STUDIES = Path("studies")
DRAWN, TO_DRAWN = Path("recipes/drawn.yaml"), "`make drawn`, or another name for these results"


@dataclass(frozen=True)
class Variant:
    """One model with one set of parameters; `name` is its row in the result."""

    name: str
    model: str
    params: params.Params

    @property
    def seed(self) -> int:
        """The training's seed."""
        return self.params.of(self.model).seed

    def with_seed(self, seed: int) -> Variant:
        """Return the same with another seed of the training; data and features stay."""
        changes = {f"{self.model}.seed": seed}
        return Variant(self.name, self.model, params.changed(self.params, changes, "seed"))

    def key(self, data: Any, machine: runtime.Runtime) -> str:
        """Return what tells whether a run in the result file is this one."""
        features = {"features"} if self.model != params.CONVNET else set()
        settings = self.params.model_dump(mode="json", include={self.model, "evaluate", *features})
        photos = [data["digest"], data["image_size"], code_digest((*TRAINS, "evaluation"))]
        known = [self.name, self.model, settings, photos, machine.record()]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@click.command(help=__doc__)
@click.argument("name")
@click.option(
    "--count", type=click.IntRange(min=1), default=3, show_default=True, help="how many seeds"
)
@click.option(
    "--model", "models", multiple=True, help="only this net  [default: all of params.yaml]",
)  # fmt: skip
@click.option("--anew", is_flag=True, help="forget earlier runs")
@click.option("--queue", is_flag=True, help="put every run into DVC's queue of experiments instead")
def main(name: str, count: int, models: tuple[str, ...], anew: bool, queue: bool) -> None:
    """Train, evaluate, track and summarise; or queue."""
    try:
        given = params.load(PARAMS)
        seeds = range(1, count + 1)
        seeded = [variant.with_seed(seed) for variant in _variants(name, given) for seed in seeds]
        if queue:
            _queue(
                [variant for variant in seeded if variant.model in (models or given.nets)], given
            )
        else:
            _study(name, seeded, given, models=models or tuple(given.nets), anew=anew)
    except InputError as error:
        sys.exit(f"study: {error}")
    except KeyboardInterrupt:
        sys.exit("study: interrupted; run again to continue")


def _study(
    name: str, variants: list[Variant], given: params.Params, *, models: tuple[str, ...], anew: bool
) -> None:
    if name == "drawn" and given != params.load(DRAWN):
        raise InputError(
            PARAMS, expected=f"the parameters of {DRAWN}", found="others", fix=TO_DRAWN
        )
    machine = runtime.configure(given.runtime)
    out, data = RESULTS / f"{name}.json", read_json(paths.DATA)
    result: dict[str, Any] = {
        "command": f"python tools/study.py {name}",
        "params": given.model_dump(mode="json", exclude={"data": {"archive"}}),
        "machine": machine.record(),
        "data": data["digest"],
    }
    planned = {variant.key(data, machine): variant for variant in variants}
    if not {variant.model for variant in variants} & set(models):
        raise InputError(
            "--model", expected=f"a model of {name}", found=", ".join(models), fix="leave it out"
        )
    earlier = [] if anew or not out.exists() else read_json(out).get("runs", [])
    done = {run["key"]: run for run in earlier if run["key"] in planned}
    with tempfile.TemporaryDirectory() as folder:
        for key, variant in planned.items():
            if key in done or variant.model not in models:
                continue
            measured = _run(variant, machine, Path(folder))
            done[key] = {"variant": variant.name, "seed": variant.seed, **measured, "key": key}
            result["runs"] = [done[key] for key in planned if key in done]
            result["summary"] = studies.spread(result["runs"], given.evaluate.confidence)
            write_json(out, result)
            print(f"{variant.name}, seed {variant.seed}: {measured['accuracy']:.4f}", flush=True)
    result = read_json(out)
    print(studies.table(result["summary"]))
    if (STUDIES / f"{name}.yaml").exists():
        from convlens.gallery import style
        from convlens.gallery.study import comparison

        style.save(comparison(result["runs"]), FIGURES / f"study_{name}.png")
    if name == "drawn" and {run["model"] for run in result["runs"]} == set(given.nets):
        write_json(BAND, studies.bands(result["runs"], BANDED))


def _queue(variants: list[Variant], given: params.Params) -> None:
    for variant in variants:
        words = overrides_between(given.model_dump(), variant.params.model_dump())
        label = "-".join(re.findall(r"[\w.]+", f"{variant.name} seed {variant.seed}"))
        command = ["dvc", "exp", "run", "--queue", "--name", label, *words]
        if subprocess.run([*command, f"evaluate@{variant.model}"], check=False).returncode:
            raise InputError(
                label, expected="a queued experiment", found="the error above", fix="mend that"
            )
    print("queued; start with `dvc queue start` or `dvc exp run --run-all`")


def _variants(name: str, given: params.Params) -> list[Variant]:
    path = STUDIES / f"{name}.yaml"
    if not path.exists():
        return [Variant(model, model, given) for model in given.nets]
    study = params.tree(path)
    if not isinstance(study, dict) or set(study) - {"changes"} != {"model", "variants"}:
        raise InputError(
            path, expected="model, variants and perhaps changes",
            found=", ".join(study) if isinstance(study, dict) else "no keys", fix="see studies/",
        )  # fmt: skip
    every = study.get("changes") or {}
    for changes in (every, *study["variants"].values()):
        for key, _ in params.flat(changes or {}):
            sections = (*given.nets, "features", "evaluate")
            if key.split(".")[0] not in sections:  # what comes before is the same for all
                raise InputError(
                    f"{path}: {key}", expected=f"a key of {', '.join(sections)}", found="another",
                    fix="change it in params.yaml and repeat `dvc repro prepare`",
                )  # fmt: skip
    base = params.changed(given, every, path)
    return [
        Variant(variant, study["model"], params.changed(base, changes or {}, path))
        for variant, changes in study["variants"].items()
    ]


def _run(variant: Variant, machine: runtime.Runtime, folder: Path) -> dict[str, Any]:
    """Train and evaluate in a folder that looks like the repository; return what was measured."""
    from convlens.evaluation.evaluate import evaluate_model
    from convlens.gallery import evaluation as figures
    from convlens.training import convnet, transfer

    tracking.configure()
    home, given, model = Path.cwd(), variant.params, variant.model
    os.environ["DVC_ROOT"] = str(home)  # the runs belong to the repository's store
    extracting = 0.0
    if model != params.CONVNET:
        features, extracting = _features(model, given.features, machine, folder)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / PREPARED).parent.mkdir()
        (root / PREPARED).symlink_to(home / PREPARED)
        out, reports = root / paths.trained(model), root / paths.evaluation(model)
        with epochs(model, given.of(model).all_epochs) as show:
            if model == params.CONVNET:
                convnet.train(
                    given.convnet, machine, PREPARED, out, checkpoints=CHECKPOINTS, on_epoch=[show]
                )
            else:
                transfer.train(
                    model, given.of(model), machine, PREPARED, base_weights(model), features, out,
                    checkpoints=CHECKPOINTS, on_epoch=[show],
                )  # fmt: skip
        result = evaluate_model(out, PREPARED, reports, given.evaluate, machine)
        figures.write(result, reports, title=model)
        try:
            for stage in (f"train@{model}", f"evaluate@{model}"):
                tracking.track(root, stage, given.model_dump(mode="json"))
        except tracking.TrackingUnavailable as error:
            print(f"warning: not tracked: {error}")
        numbers = read_json(out / METRICS)
        seconds = sum(float(row["seconds"]) for row in read_csv(out / "history.csv"))
        return read_json(reports / METRICS) | {
            "model": model,
            "val_accuracy": numbers["val_accuracy"],
            "val_loss": numbers["val_loss"],
            "seconds": round(seconds, 1),
            "seconds_features": extracting,
        }


def _features(
    net: str, given: params.FeaturesParams, machine: runtime.Runtime, folder: Path
) -> tuple[Path, float]:
    """Extract features once for all runs that want the same; return where, and the seconds."""
    from convlens.training.features import extract_features

    name = hashlib.sha256((net + given.model_dump_json()).encode()).hexdigest()[:16]
    place, clock = folder / name, folder / f"{name}.json"
    if not clock.exists():
        started = time.perf_counter()
        extract_features(net, given, machine, PREPARED, base_weights(net), place, console)
        write_json(clock, round(time.perf_counter() - started, 1))
    return place, read_json(clock)


if __name__ == "__main__":
    main()
