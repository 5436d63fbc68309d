"""A search: ASHA gives epochs to the trials that a study has drawn, on Ray's workers."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from convlens.engines import Engine
from convlens.errors import InputError
from convlens.files import read_json, write_json
from trainings import Runner, begin, run_all

REFUSED = "refused.json"


def seek(runner: Runner, engine: Engine, place: Path, grace: int) -> list[dict[str, Any]]:
    """Let ASHA give epochs to the trainings, then end and track each; return what became of it.

    Raises
    ------
    InputError
        None of them could be trained.
    """
    from convlens.engines.tune import asha

    # Tune would print, write tables of every trial, and take Ctrl-C for a pause
    off = "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "TUNE_DISABLE_SIGINT_HANDLER"
    os.environ |= dict.fromkeys(off, "1") | {"RAY_AIR_NEW_OUTPUT": "0"}
    shutil.rmtree(place / "tune", ignore_errors=True)  # a killed search's: epochs are told again
    trainings = list(runner.trainings.values())
    most = trainings[0].variant.epochs
    seen = asha(
        engine, partial(_trial, Path.cwd(), runner), len(trainings),
        epochs=most, grace=grace, folder=place / "tune",
        heard=lambda number, count, loss: print(
            f"trial {number}: {count} of {most} epochs, validation log loss {loss:.4f}", flush=True
        ),
    )  # fmt: skip
    rows: list[dict[str, Any]] = [{"trial": number} for number in range(len(trainings))]
    worth = {}
    for row, training in zip(rows, trainings, strict=True):
        if (training.folder / REFUSED).exists():
            row["reason"] = read_json(training.folder / REFUSED)["reason"]
        elif count := seen[row["trial"]]:
            worth[training.key] = count
        else:
            row["reason"] = "its workers were killed"
    if not worth:
        raise InputError(
            "the search", expected="a trial that can be trained", found=rows[0]["reason"],
            fix="mend that and run again",
        )  # fmt: skip
    kept = {key: runner.trainings[key] for key in worth}
    for key, _ in run_all(replace(runner, trainings=kept, worth=worth), engine):
        kept[key].track()
        last = kept[key].history[-1]
        rows[trainings.index(kept[key])] |= {
            "epochs": len(kept[key].history), "val_loss": last["val_loss"],
            "val_accuracy": last["val_accuracy"],
        }  # fmt: skip
    return rows


def _trial(home: Path, runner: Runner, number: int, tell: Any) -> None:
    """Train one for a search; a mistake in what was drawn for it ends no other one."""
    machine = begin(home, runner.given)
    training = list(runner.trainings.values())[number]
    (training.folder / REFUSED).unlink(missing_ok=True)
    try:
        training.train(machine, [tell])
    except InputError as error:  # a loss that isn't finite any more, say
        write_json(training.folder / REFUSED, {"reason": str(error)})
