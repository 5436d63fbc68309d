"""Where a run's files lie, and where the repository is, from whatever folder in it.

Paths are relative to the repository, in which every stage runs.
"""

from __future__ import annotations

import os
from pathlib import Path

from convlens.errors import InputError

PARAMS, LOCK = Path("params.yaml"), Path("dvc.lock")
SOURCE = Path("data/raw/source.zip")
DIGESTS = Path("data/digests.json")  # in git: what came when an address was first used
PREPARED = Path("data/prepared")
DATA, MANIFEST = PREPARED / "data.json", PREPARED / "manifest.csv"
EXAMPLES = PREPARED / "examples"
BASE_WEIGHTS = Path("data/weights/vgg16_base.npz")
FEATURES = Path("data/features")
TRAINED, REPORTS = Path("models"), Path("reports")
SUMMARY, PAGE = REPORTS / "summary.json", REPORTS / "index.html"
DATA_REPORT, IMAGENET, BOTH = REPORTS / "data", REPORTS / "imagenet", REPORTS / "both"
SUSPECTS = REPORTS / "label_suspects.csv"
MADE = REPORTS / "made"  # what each stage of each net made, for those after all nets
NET, METRICS = "model.keras", "metrics.json"  # in a model's folders
LOCAL = Path(".convlens")  # of this machine only: checkpoints, locks, wall times
CHECKPOINTS = LOCAL / "checkpoints"


def base_weights(net: str) -> Path:
    """Return where the weights of a net's base lie."""
    return BASE_WEIGHTS.with_name(f"{net}_base.npz")


def trained(model: str) -> Path:
    """Return the folder of a trained model."""
    return TRAINED / model


def evaluation(model: str) -> Path:
    """Return the folder of a model's test results."""
    return REPORTS / model / "evaluation"


def explanation(model: str) -> Path:
    """Return the folder of what a model sees."""
    return REPORTS / model / "explain"


def repository() -> Path:
    """Return the nearest folder, here or above, that holds params.yaml; raises InputError."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PARAMS).is_file():
            return folder
    raise InputError(
        here,
        expected="a folder of a clone of ConvLens",
        found="no params.yaml here or above",
        fix="go into your clone, or restore the file with git",
    )


def beside(name: Path) -> Path:
    """Return the repository's file or folder `name`, relative to here; outside of one, `name`."""
    try:
        return Path(os.path.relpath(repository() / name))
    except InputError:
        return name
