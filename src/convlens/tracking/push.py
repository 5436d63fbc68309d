"""Make one MLflow run hold what the files say, without taking anything from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from PIL import Image

from convlens.tracking import words
from convlens.tracking.model import log_model
from convlens.tracking.results import UNKNOWN, Made, Run, admitted

_GRID_SIDE = 800  # the file in full is there, too
_NEW = "(being written)"
_LOOK = "convlens.look"  # how many runs of this model there were before


def push(run: Run, client: Any, experiment: str) -> str:
    """Find or make the MLflow run of `run`, add what it lacks; return its id.

    A part is there once its mark is, which is set last: what was cut off is sent again. The core
    is written once; an evaluation or explanation also if it was made after the one that is there.
    """
    query = f"tags.`{run.key}` = '{run.digest}'"
    same = client.search_runs([experiment], query, order_by=[f"tags.`{_LOOK}` ASC"])
    there = _choose(same, run.looks) or _create(client, experiment, run, len(same))
    run_id = str(there.info.run_id)
    model_id = log_model(client, experiment, there, run, run.model) if run.model else None
    for made in run.parts:
        known = there.data.tags.get(f"made.{made.part.name}", "")
        if known < made.mark and not (made.part.core and known > UNKNOWN):
            _send(client, there, made, run, model_id)
    if run.dataset and not there.inputs.dataset_inputs:
        _input(client, run_id, run.dataset)
    now = client.get_run(run_id)
    alike = [r for r in (*same, now) if r.data.tags.get("dvc.exp") == now.data.tags.get("dvc.exp")]
    _words(client, now, min(alike, key=lambda run: int(run.data.tags[_LOOK])))
    return run_id


def _choose(same: list[Any], wanted: dict[str, str]) -> Any:
    """Return the run that no parameter of evaluation or explanation tells apart, if any."""
    fitting = [r for r in same if all(r.data.params.get(k, v) == v for k, v in wanted.items())]
    return max(fitting, key=lambda run: len(wanted.keys() & run.data.params.keys()), default=None)


def _create(client: Any, experiment: str, run: Run, earlier: int) -> Any:
    # It tells of a training that is over, so it is FINISHED from the start, whatever ends us.
    core = run.parts[0]
    start = core.when - round(core.metrics.get("seconds_train", 0) * 1000)
    tags = {run.key: run.digest, _LOOK: str(earlier)}
    made = client.create_run(experiment, start, tags, run_name=_NEW)
    client.set_terminated(made.info.run_id, "FINISHED", core.when)
    return client.get_run(made.info.run_id)


def _send(client: Any, there: Any, made: Made, run: Run, model_id: str | None) -> None:
    run_id = there.info.run_id
    for name, path in made.files.items():
        client.log_artifact(run_id, path, str(Path(name).parent))
        if path.suffix == ".png":
            with Image.open(path) as image:
                small = image.convert("RGB")
            small.thumbnail((_GRID_SIDE, _GRID_SIDE))
            key = admitted(name.removesuffix(".png"))
            client.log_image(run_id, small, key=key, step=0, timestamp=made.when)
    _values(client, there, made, run, model_id)


def _values(client: Any, there: Any, made: Made, run: Run, model_id: str | None) -> None:
    """Write the numbers and parameters of a part, then who made it and its mark."""
    from mlflow.entities import Metric, Param, RunTag

    run_id, name = there.info.run_id, made.part.name
    tested = model_id if name == "evaluation" else None
    metrics = [Metric(key, v, made.when, 0, tested) for key, v in made.metrics.items()]
    tags = {f"{name}.{key}": v for key, v in made.provenance.items() if key.startswith("git.")}
    if made.part.core:
        start = there.info.start_time
        for key, points in run.series.items():
            pace = (made.when - start) / len(points)  # epochs share the wall time evenly
            metrics += [Metric(key, v, round(start + pace * epoch), epoch) for epoch, v in points]
        tags = made.provenance | run.tags | {"mlflow.source.name": f"convlens {run.name}"}
        tags["mlflow.source.git.commit"] = tags.get("git.commit", "")
    params = [Param(k, v) for k, v in made.params.items() if k not in there.data.params]
    for begin in range(0, max(len(metrics), len(params)), 100):
        part = slice(begin, begin + 100)
        client.log_batch(run_id, metrics=metrics[part], params=params[part])
    named = [(one.mark, one.provenance.get("dvc.exp", "")) for one in run.parts]
    latest = max((one for one in named if one[1]), default=("", ""))[1]
    tags |= {"dvc.exp": there.data.tags.get("dvc.exp", latest), f"made.{name}": made.mark}
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items() if value])


def _words(client: Any, there: Any, first: Any) -> None:
    """Name and describe a run; what a person wrote there meanwhile stays."""
    run_id, tags = there.info.run_id, there.data.tags
    title, note = words.title(there, first), words.note(there)
    known, ours = tags.get("convlens.words", f"{_short(_NEW)} {_short('')}"), []
    places = ("mlflow.runName", title), ("mlflow.note.content", note)
    for (key, text), before in zip(places, known.split(), strict=True):
        present, new = _short(tags.get(key, "")), _short(text)
        if present == before != new:
            client.set_tag(run_id, key, text)
        ours.append(new if present in (before, new) else before)
    if known != " ".join(ours):
        client.set_tag(run_id, "convlens.words", " ".join(ours))


def _short(text: str) -> str:  # by which our own words are known again
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _input(client: Any, run_id: str, data: Any) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, digest = str(data["source"]), str(data["digest"])
    profile = {key: data[key] for key in ("counts", "image_size", "split_rule") if key in data}
    source = json.dumps({"source": name, "digest": digest})
    # MLflow allows 36 characters of a digest; its table shows 12 in full
    entity = Dataset(name, digest[:12], "convlens", source, profile=json.dumps(profile))
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
