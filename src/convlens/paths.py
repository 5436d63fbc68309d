"""Where the repository is, from whatever folder in it a command is given."""

from __future__ import annotations

import os
from pathlib import Path

from convlens.errors import InputError

PARAMS = "params.yaml"


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


def beside(name: str) -> Path:
    """Return the repository's file or folder `name`, relative to here; outside of one, `name`."""
    try:
        return Path(os.path.relpath(repository() / name))
    except InputError:
        return Path(name)
