"""Make one MLflow run hold what the files say, without taking anything from it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from convlens.tracking import words
from convlens.tracking.results import UNKNOWN, Made, Run

_GRID_SIDE = 1200
_NEW = "(being written)"


def push(run: Run, client: Any, experiment: str) -> str:
    """Find or make the MLflow run of `run`, add what it lacks; return its id.

    A part is there once its mark is, which is set last: what was cut off is sent again. The core
    is written once; an evaluation or explanation also if it was made after the one that is there.
    """
    query = f"tags.`{run.key}` = '{run.digest}'"
    same = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"])
    there = _choose(same, run.looks) or _create(client, experiment, run)
    model_id = _model(client, experiment, there, run, run.model) if run.model else None
    for made in run.parts:
        known = there.data.tags.get(f"made.{made.part.name}")
        again = not made.part.core or known == UNKNOWN
        if known is None or (again and known < made.mark):
            _send(client, there, made, run, model_id)
    if run.dataset and not there.inputs.dataset_inputs:
        _input(client, there.info.run_id, run.dataset)
    _words(client, client.get_run(there.info.run_id), run, same)
    return str(there.info.run_id)


def _choose(same: list[Any], wanted: dict[str, str]) -> Any:
    """Return the run that no parameter of evaluation or explanation tells apart, if any."""
    fitting = [
        (sum(key in found.data.params for key in wanted), found)
        for found in same
        if all(found.data.params.get(key, value) == value for key, value in wanted.items())
    ]
    return max(fitting, key=lambda pair: pair[0], default=(0, None))[1]


def _create(client: Any, experiment: str, run: Run) -> Any:
    # It tells of a training that is over, so it is FINISHED from the start, whatever ends us.
    start = run.parts[0].when - round(run.parts[0].metrics.get("seconds_train", 0) * 1000)
    made = client.create_run(experiment, start, {run.key: run.digest}, run_name=_NEW)
    client.set_terminated(made.info.run_id, "FINISHED", run.parts[0].when)
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
            key = name.removesuffix(".png")
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

    tested = model_id if made.part.name == "evaluation" else None
    metrics = [Metric(key, v, made.when, 0, tested) for key, v in made.metrics.items()]
    tags = made.tags
    if made.part.core:
        start = there.info.start_time
        for key, points in run.series.items():
            pace = (made.when - start) / len(points)  # epochs share the wall time evenly
            metrics += [Metric(key, v, round(start + pace * epoch), epoch) for epoch, v in points]
        tags = tags | run.tags | {"mlflow.source.name": f"convlens {run.name}"}
        tags["mlflow.source.git.commit"] = tags.get("git.commit", "")
    params = [Param(k, v) for k, v in made.params.items() if k not in there.data.params]
    for begin in range(0, max(len(metrics), len(params)), 100):
        part = slice(begin, begin + 100)
        client.log_batch(there.info.run_id, metrics=metrics[part], params=params[part])
    written = [RunTag(key, value) for key, value in tags.items() if value]
    client.log_batch(
        there.info.run_id, tags=[*written, RunTag(f"made.{made.part.name}", made.mark)]
    )


def _words(client: Any, there: Any, run: Run, same: list[Any]) -> None:
    """Name and describe a run; what a person wrote there meanwhile stays."""
    run_id, tags = there.info.run_id, there.data.tags
    first = same[0] if same and same[0].info.run_id != run_id else None
    title, note = words.title(run, first), words.note(run)
    ours = tags.get("convlens.words", f"{short(_NEW)} {short('')}").split()
    names, notes = tags.get("mlflow.runName", ""), tags.get("mlflow.note.content", "")
    if short(names) == ours[0] and names != title:
        client.update_run(run_id, name=title)
        ours[0] = short(title)
    if short(notes) == ours[1] and notes != note:
        client.set_tag(run_id, "mlflow.note.content", note)
        ours[1] = short(note)
    if tags.get("convlens.words") != " ".join(ours):
        client.set_tag(run_id, "convlens.words", " ".join(ours))
    if run.experiment and "dvc.exp" not in tags:
        client.set_tag(run_id, "dvc.exp", run.experiment)


def short(text: str) -> str:
    """Return a short digest, by which our own words are known again."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _model(client: Any, experiment: str, there: Any, run: Run, file: Path) -> str:
    """Log the model as a pyfunc once and tie it to its run; return its id."""
    from mlflow.entities import LoggedModelOutput

    found = logged_models(client, experiment, run.digest)
    model_id = found[0] if found else _log(client, experiment, there.info.run_id, run, file)
    outputs = there.outputs.model_outputs if there.outputs else []
    if model_id not in {output.model_id for output in outputs}:
        client.log_outputs(there.info.run_id, [LoggedModelOutput(model_id, 0)])
    return model_id


def logged_models(client: Any, experiment: str, digest: str) -> list[str]:
    """Return the ids of the logged models with these weights that are whole."""
    query = f"tags.`convlens.model` = '{digest}'"
    found = client.search_logged_models([experiment], query)
    return [str(logged.model_id) for logged in found if str(logged.status) == "READY"]


def _log(client: Any, experiment: str, run_id: str, run: Run, file: Path) -> str:
    from convlens.tracking.package import package

    query = f"tags.`convlens.model` = '{run.digest}'"
    for half in client.search_logged_models([experiment], query):
        client.delete_logged_model(half.model_id)  # left by a killed projection
    with tempfile.TemporaryDirectory() as folder:
        package(file, Path(folder) / "model")
        logged = client.create_logged_model(
            experiment, name=f"convlens-{run.name}", source_run_id=run_id,
            tags={"convlens.model": run.digest}, params=dict(run.parts[0].params),
            model_type="image-classifier",
        )  # fmt: skip
        try:
            client.log_model_artifacts(logged.model_id, f"{folder}/model")
        except BaseException:
            client.delete_logged_model(logged.model_id)
            raise
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def _input(client: Any, run_id: str, data: Any) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    profile = {key: data[key] for key in ("counts", "image_size", "split_rule") if key in data}
    entity = Dataset(
        name=str(data["source"]),
        digest=data["digest"][:12],  # MLflow allows 36; its table shows 12 in full
        source_type="convlens",
        source=json.dumps({"source": data["source"], "digest": data["digest"]}),
        profile=json.dumps(profile),
    )
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])
