"""Results are files; MLflow is a projection of them that any later call can rebuild.

`sync` reads what stands under a repository's root and makes the store agree with it. It keeps
no run open and returns or raises within seconds, so a tracking server that is down, slow or
dying costs a stage neither its results nor its time: the next `sync` repairs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from convlens.params import Params
from convlens.tracking.origin import home
from convlens.tracking.record import describe
from convlens.tracking.store import TrackingUnavailable, failing_softly, session

Name = Literal["data", "convnet", "vgg16", "imagenet"]
NAMES: tuple[Name, ...] = ("data", "imagenet", "convnet", "vgg16")

__all__ = ["NAMES", "Name", "TrackingUnavailable", "sync"]


def sync(root: Path, name: Name, params: Params) -> str | None:
    """Make the run of `name` agree with the files under `root`; a second call changes nothing.

    Parameters
    ----------
    root
        The repository, or the folder in which an experiment's queue runs it.
    name
        `data` and `imagenet` belong to the run of the prepared data, found by its digest; each
        model has a run of its own, found by the digest of its weights.
    params
        Those in force now; they count only if this model or data was never described before.

    Returns
    -------
    str or None
        The run's id; None if the files of `name` are not there yet.

    Raises
    ------
    TrackingUnavailable
        If the store cannot be used now; nothing local is lost.
    """
    place = home(root)
    with failing_softly():
        record = describe(root, place, name, params)
    if record is None:
        return None
    with session(place) as (client, experiment):
        from convlens.tracking.push import push

        return push(record, client, experiment)
