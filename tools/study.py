"""Train and keep every run in MLflow: a recipe or a study over several seeds, or a search.

NAME is a file of studies/, or else the name under which params.yaml as it stands is measured.
Run `dvc repro prepare fetch_weights` first. Writes docs/results/NAME.json after each run, so an
interrupted study goes on where it stopped; a study's figure is docs/figures/study_NAME.png. For the
recipe `drawn` it also writes docs/band.json, which `make verify` holds other machines to.
On Ray's workers several trainings run at once; a search, a file with ranges, always does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click

from convlens import engines, params, paths, runtime, tracking
from convlens.engines import Engine
from convlens.engines.local import LOCAL
from convlens.errors import InputError
from convlens.evaluation import studies
from convlens.files import read_json, write_json
from convlens.paths import PARAMS
from convlens.reproduce import BANDED
from recipe import overrides_between
from search import seek
from trainings import WORK, Runner, begin, plan, run_all
from variants import STUDIES, Study, Variant, digest, read

RESULTS, FIGURES = Path("docs/results"), Path("docs/figures")
BAND = Path("docs/band.json")
DRAWN, TO_DRAWN = Path("recipes/drawn.yaml"), "`make drawn`, or another name for these results"


@click.command(help=__doc__)
@click.argument("name")
@click.option(
    "--count", type=click.IntRange(min=1),
    help="how many seeds, or trials of a search  [default: 3, or what its file says]",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, help="only this net  [default: all of params.yaml]",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["local", "ray"]),
    help="what runs the trainings  [default: runtime.engine]",
)  # fmt: skip
@click.option("--anew", is_flag=True, help="forget earlier runs")
@click.option("--queue", is_flag=True, help="put every run into DVC's queue of experiments instead")
def main(
    name: str, count: int | None, models: tuple[str, ...], engine: str | None, *, anew: bool,
    queue: bool,
) -> None:  # fmt: skip
    """Train, evaluate, track and summarise; or queue."""
    try:
        given = params.load(PARAMS)
        if name == "drawn" and given != params.load(DRAWN):
            raise InputError(
                PARAMS, expected=f"the parameters of {DRAWN}", found="others", fix=TO_DRAWN
            )
        given = _on("ray" if read(name, given, count).grace else engine, given)
        study, models = read(name, given, count), models or tuple(given.nets)
        wanted = [variant for variant in study.variants if variant.model in models]
        if not wanted:
            raise InputError(
                "--model", expected=f"a model of {name}", found=", ".join(models),
                fix="leave it out",
            )  # fmt: skip
        if queue:
            _queue(wanted, given)
        else:
            _Study(name, study, given).run(wanted, anew=anew)
    except InputError as error:
        sys.exit(f"study: {error}")
    except KeyboardInterrupt:
        sys.exit("study: interrupted; run again to continue")


def _on(engine: str | None, given: params.Params) -> params.Params:
    """Return `given` with another engine, whose threads have to be known: they decide bits."""
    engine = engine or given.runtime.engine
    threads = given.runtime.threads or int(engine == "ray")
    changes = {"runtime.engine": engine, "runtime.threads": threads}
    return params.changed(given, changes, "--engine")


class _Study:
    """A study on this machine: what is planned, and what is known of it."""

    def __init__(self, name: str, study: Study, given: params.Params) -> None:
        self.name, self.study, self.given = name, study, given
        self.machine, self.out = runtime.configure(given.runtime), RESULTS / f"{name}.json"
        data = read_json(paths.DATA)
        self.planned = {each.key(data, self.machine): each for each in study.variants}
        self.result: dict[str, Any] = {
            "command": f"python tools/study.py {name}",
            "params": given.model_dump(mode="json", exclude={"data": {"archive"}}),
            "machine": self.machine.record(),
            "data": data["digest"],
        }

    def run(self, wanted: list[Variant], *, anew: bool) -> None:
        """Do what is not done yet."""
        tracking.configure()
        if anew:
            self.out.unlink(missing_ok=True)
            shutil.rmtree(WORK / self.name, ignore_errors=True)
        earlier = read_json(self.out) if self.out.exists() else {}
        if self.study.grace:
            self.search(earlier)
        else:
            self.train(wanted, earlier.get("runs", []))
        shutil.rmtree(WORK / self.name, ignore_errors=True)

    def engine(self) -> AbstractContextManager[Engine]:
        """Return what runs the trainings, in the repository wherever that is."""
        given = self.given.runtime
        return engines.start(
            given.engine, workers=given.workers or None, threads=max(1, given.threads),
            setup=partial(begin, Path.cwd(), given),
        )  # fmt: skip

    def train(self, wanted: list[Variant], earlier: list[dict[str, Any]]) -> None:
        """Train and test each variant with each seed; write the result after each of them."""
        done = {run["key"]: run for run in earlier if run["key"] in self.planned}
        left = {k: v for k, v in self.planned.items() if k not in done and v in wanted}
        with self.engine() if left else nullcontext(LOCAL) as engine:
            trainings = plan(self.name, left, self.machine, engine)
            for key, measured in run_all(Runner(self.given.runtime, trainings), engine):
                variant = left[key]
                trainings[key].track()
                done[key] = {"variant": variant.name, "seed": variant.seed, **measured, "key": key}
                self.result["runs"] = [done[k] for k in self.planned if k in done]
                self.result["summary"] = studies.spread(
                    self.result["runs"], self.given.evaluate.confidence
                )
                write_json(self.out, self.result)
                trainings[key].forget()
                print(
                    f"{variant.name}, seed {variant.seed}: {measured['accuracy']:.4f}", flush=True
                )
        result = read_json(self.out)
        print(studies.table(result["summary"]))
        if (STUDIES / f"{self.name}.yaml").exists():
            from convlens.gallery import style
            from convlens.gallery.study import comparison

            style.save(comparison(result["runs"]), FIGURES / f"study_{self.name}.png")
        nets = {run["model"] for run in result["runs"]}
        if self.name == "drawn" and nets == set(self.given.nets):
            write_json(BAND, studies.bands(result["runs"], BANDED))

    def search(self, earlier: Mapping[str, Any]) -> None:
        """Let ASHA share out the epochs; end every trial, and test the best by validation."""
        key = digest(list(self.planned), self.study.grace)
        if earlier.get("key") != key:
            with self.engine() as engine:
                trainings = plan(self.name, self.planned, self.machine, engine)
                runner = Runner(self.given.runtime, trainings)
                rows = seek(runner, engine, WORK / self.name, self.study.grace)
            ranked = studies.ranked(
                [drawn | row for drawn, row in zip(self.study.drawn, rows, strict=True)]
            )
            best = list(trainings.values())[ranked[0]["trial"]]
            self.result |= {"key": key, "trials": ranked, "best": best.evaluate(self.machine)}
            best.track()
            write_json(self.out, self.result)
        found = read_json(self.out)
        print(studies.trials_table(found["trials"]))
        print(f"trial {found['trials'][0]['trial']} on test: {found['best']['accuracy']:.4f}")


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


if __name__ == "__main__":
    main()
