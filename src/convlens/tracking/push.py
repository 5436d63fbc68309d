"""Make one MLflow run hold what the files say, without taking anything from it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from convlens.tracking import words
from convlens.tracking.results import UNKNOWN, Made, Run, admitted

_GRID_SIDE = 1200
_NEW = "(being written)"
_LOOK = "convlens.look"  # how many runs of this model there were before


def push(run: Run, client: Any, experiment: str) -> str:
    """Find or make the MLflow run of `run`, add what it lacks; return its id.

    A part is there once its mark is, which is set last: what was cut off is sent again. The core
    is written once; an evaluation or explanation also if it was made after the one that is there.
    """
    query = f"tags.`{run.key}` = '{run.digest}'"
    same = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"])
    looks = {key: value for made in run.parts[1:] for key, value in made.params.items()}
    there = _choose(same, looks) or _create(client, experiment, run, len(same))
    run_id = str(there.info.run_id)
    model_id = _model(client, experiment, there, run) if run.model else None
    for made in run.parts:
        known = there.data.tags.get(f"made.{made.part.name}")
        again = not made.part.core or known == UNKNOWN
        if known is None or (again and known < made.mark):
            _send(client, there, made, run, model_id)
    if run.dataset and not there.inputs.dataset_inputs:
        _input(client, run_id, run.dataset)
    firsts = [r for r in same if r.data.tags.get(_LOOK) == "0" and r.info.run_id != run_id]
    _words(client, client.get_run(run_id), *firsts)
    return run_id


def _choose(same: list[Any], wanted: dict[str, str]) -> Any:
    """Return the run that no parameter of evaluation or explanation tells apart, if any."""
    fitting = [
        run
        for run in same
        if all(run.data.params.get(key, value) == value for key, value in wanted.items())
    ]
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
    with tempfile.TemporaryDirectory() as folder:
        for name, path in made.files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).symlink_to(path.resolve())
        client.log_artifacts(run_id, folder)
    pictures = {name: path for name, path in made.files.items() if path.suffix == ".png"}
    with ThreadPoolExecutor() as pool:  # decoding big figures is most of the time here
        for name, picture in zip(pictures, pool.map(_for_grid, pictures.values()), strict=True):
            key = admitted(name.removesuffix(".png"))
            client.log_image(run_id, picture, key=key, step=0, timestamp=made.when)
    _values(client, there, made, run, model_id)


def _for_grid(path: Path) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_GRID_SIDE, _GRID_SIDE))
    return small


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
    tags |= {"dvc.exp": there.data.tags.get("dvc.exp", run.experiment), f"made.{name}": made.mark}
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items() if value])


def _words(client: Any, there: Any, *firsts: Any) -> None:
    """Name and describe a run; what a person wrote there meanwhile stays."""
    run_id, tags = there.info.run_id, there.data.tags
    title, note = words.title(there, *firsts), words.note(there)
    name, content = tags.get("convlens.words", f"{_short(_NEW)} {_short('')}").split()
    if retitle := _short(there.info.run_name) == name != _short(title):
        client.update_run(run_id, name=title)
    if renote := _short(tags.get("mlflow.note.content", "")) == content != _short(note):
        client.set_tag(run_id, "mlflow.note.content", note)
    if retitle or renote:
        ours = _short(title) if retitle else name, _short(note) if renote else content
        client.set_tag(run_id, "convlens.words", " ".join(ours))


def _short(text: str) -> str:
    # by which our own words are known again
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def logged_models(client: Any, experiment: str, digest: str, status: str = "READY") -> list[str]:
    """Return the ids of models logged with these weights; the PENDING ones are half-written."""
    found = client.search_logged_models([experiment], f"tags.`convlens.model` = '{digest}'")
    return [str(logged.model_id) for logged in found if str(logged.status) == status]


def _model(client: Any, experiment: str, there: Any, run: Run) -> str:
    """Log the model as a pyfunc once and tie it to its run; return its id."""
    from mlflow.entities import LoggedModelOutput

    run_id = there.info.run_id
    for half in logged_models(client, experiment, run.digest, "PENDING"):
        client.delete_logged_model(half)  # left by a killed projection
    found = logged_models(client, experiment, run.digest)
    model_id = found[0] if found else _log(client, experiment, run_id, run)
    tied = there.outputs.model_outputs if there.outputs else []
    if model_id not in [output.model_id for output in tied]:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    return model_id


def _log(client: Any, experiment: str, run_id: str, run: Run) -> str:
    from convlens.tracking.package import package

    with tempfile.TemporaryDirectory() as folder:
        package(Path(str(run.model)), Path(folder) / "model")
        logged = client.create_logged_model(
            experiment, name=admitted(f"convlens-{run.name}"), source_run_id=run_id,
            tags={"convlens.model": run.digest}, params=run.parts[0].params,
            model_type="image-classifier",
        )  # fmt: skip
        client.log_model_artifacts(logged.model_id, f"{folder}/model")
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def _input(client: Any, run_id: str, data: Any) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, digest = str(data["source"]), str(data["digest"])
    profile = {key: data[key] for key in ("counts", "image_size", "split_rule") if key in data}
    source = json.dumps({"source": name, "digest": digest})
    # MLflow allows 36 characters of a digest; its table shows 12 in full
    entity = Dataset(name, digest[:12], "convlens", source, profile=json.dumps(profile))
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
