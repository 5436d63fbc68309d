"""Results are files; MLflow is a projection of them that any later call can rebuild.

`docs/tracking.md` says what a run is. No call keeps a run open, and each returns or raises within
seconds: a server that is down costs a stage neither its results nor its time.
"""

from __future__ import annotations

from pathlib import Path

from convlens import provenance
from convlens.parts import Params, chosen, parts
from convlens.tracking import push, results
from convlens.tracking.store import TrackingUnavailable, configure, session

DATA = "data"

__all__ = ["DATA", "TrackingUnavailable", "configure", "sync", "track"]


def sync(root: Path, name: str, now: Params | None = None, stage: str = "") -> str | None:
    """Make the store hold what stands under the repository `root`; a second call changes nothing.

    `now` and `stage` are of a pipeline that runs, see `track`. Returns the run's id, None if there
    is nothing yet. Raises InputError, with nothing written, if a file is not the one that dvc.lock
    names; TrackingUnavailable if the store can't be used now.
    """
    if (run := results.describe(root, name, now, stage)) is None:
        return None
    with session(provenance.home(root)) as (client, experiment):
        return push.push(run, client, experiment)


def track(root: Path, stage: str, now: Params) -> str | None:
    """Note who made what `stage` has just made under `root`, then put it into the store.

    `now` holds the sections of params.yaml in force; errors and result are those of `sync`. A
    stage that adds to no run, or is switched off, is passed over.
    """
    for name in (DATA, *now["nets"]):
        for part in parts(name):
            if part.stage == stage and now.get(part.name, {}).get("enabled", True):
                params = chosen(now, part.sections)
                of = provenance.digest(root / part.about, params)
                provenance.write(root, root / part.note, of, stage, params)
                return sync(root, name, now, stage)
    return None
