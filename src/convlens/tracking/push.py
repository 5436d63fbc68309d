"""Make one MLflow run agree with a record; the only module that writes to a store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from convlens.tracking import artifacts
from convlens.tracking.origin import process_is_gone, process_mark
from convlens.tracking.record import Dataset, RunRecord

_PROCESS = "convlens.process"
_BATCH = 1000


def push(record: RunRecord, client: Any, experiment: str) -> str:
    """Find or make the run of `record`, add what is missing or changed; return its id."""
    _reap(client, experiment)
    with _run(client, experiment, record) as run:
        run_id = str(run.info.run_id)
        artifacts.send(client, run_id, record)
        model_id = _model(client, experiment, run, record)
        _values(client, run, record, model_id)
        _input(client, run, record.dataset)
    return run_id


def _reap(client: Any, experiment: str) -> None:
    """Mark runs that a killed projection left RUNNING; the next one completes them."""
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        mark = run.data.tags.get(_PROCESS)
        if mark and process_is_gone(mark):
            client.set_terminated(run.info.run_id, "KILLED")


@contextmanager
def _run(client: Any, experiment: str, record: RunRecord) -> Iterator[Any]:
    query = f"tags.`{record.key}` = '{record.digest}'"
    found = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"])
    if found:
        run_id = found[0].info.run_id
        if found[0].info.status != "FINISHED":
            client.update_run(run_id, status="RUNNING")
            client.set_tag(run_id, _PROCESS, process_mark())
    else:
        tags = {record.key: record.digest, _PROCESS: process_mark()}
        run_id = client.create_run(
            experiment, record.started, tags, run_name=record.title
        ).info.run_id
    run = client.get_run(run_id)
    try:
        yield run
    except BaseException as error:
        state = "FAILED" if isinstance(error, Exception) else "KILLED"
        with suppress(Exception):  # a dead server must not hide a Ctrl-C
            client.set_terminated(run_id, state, record.ended)
        raise
    if run.info.status != "FINISHED":
        client.set_terminated(run_id, "FINISHED", record.ended)
        client.delete_tag(run_id, _PROCESS)


def _values(client: Any, run: Any, record: RunRecord, model_id: str | None) -> None:
    from mlflow.entities import Metric, Param, RunTag

    data, start = run.data, run.info.start_time
    tags = record.tags | {
        "mlflow.note.content": record.note,
        "mlflow.source.name": f"convlens {record.kind}",
        "mlflow.source.git.commit": record.tags.get("git.commit", ""),
    }
    stages = data.tags.get("convlens.stage", "").split() + record.tags["convlens.stage"].split()
    tags["convlens.stage"] = " ".join(dict.fromkeys(stages))
    if record.images:
        tags |= {"mlflow.loggedImages": "True"}
    metrics = [
        Metric(key, value, start + round(seconds * 1000), epoch)
        for key, points in record.series.items()
        if data.metrics.get(key) != points[-1][-1]
        for epoch, seconds, value in points
    ]
    for key, value in record.metrics.items():
        if data.metrics.get(key) != value:
            now = _after_last(client, run, key, record.ended)
            metrics.append(
                Metric(key, value, now, 0, model_id if key.startswith("test_") else None)
            )
    params = [Param(k, v) for k, v in record.params.items() if k not in data.params]
    new_tags = [RunTag(k, v) for k, v in tags.items() if data.tags.get(k) != v]
    for start_at in range(0, len(metrics), _BATCH):
        client.log_batch(run.info.run_id, metrics=metrics[start_at : start_at + _BATCH])
    for start_at in range(0, max(len(params), len(new_tags)), 100):
        part = slice(start_at, start_at + 100)
        client.log_batch(run.info.run_id, params=params[part], tags=new_tags[part])
    if data.tags.get("mlflow.runName") != record.title:
        client.update_run(run.info.run_id, name=record.title)


def _after_last(client: Any, run: Any, key: str, moment: int) -> int:
    # MLflow shows the value with the latest time: also when the clock was set back in between.
    if key not in run.data.metrics:
        return moment
    history = client.get_metric_history(run.info.run_id, key)
    return max(moment, *(int(metric.timestamp) + 1 for metric in history))


def _model(client: Any, experiment: str, run: Any, record: RunRecord) -> str | None:
    """Log the model as a pyfunc once and tie it to its run."""
    if record.model is None:
        return None
    query = f"tags.`convlens.model` = '{record.digest}'"
    for logged in client.search_logged_models([experiment], query):
        if logged.status == "READY":
            if not (run.outputs and run.outputs.model_outputs):  # a projection was killed here
                _tie(client, run, logged)
            return str(logged.model_id)
        client.delete_logged_model(logged.model_id)  # half-written by a killed projection
    from convlens.tracking.package import package

    with tempfile.TemporaryDirectory() as scratch:
        logged = client.create_logged_model(
            experiment,
            name=f"convlens-{record.kind}",
            source_run_id=run.info.run_id,
            tags={"convlens.model": record.digest},
            params=dict(record.params),
            model_type="image-classifier",
        )
        folder = Path(scratch) / "model"
        package(record.model, folder, logged)
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    _tie(client, run, logged)
    return str(logged.model_id)


def _tie(client: Any, run: Any, logged: Any) -> None:
    from mlflow.entities import LoggedModelOutput

    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, 0)])


def _input(client: Any, run: Any, dataset: Dataset | None) -> None:
    from mlflow.entities import Dataset as Entity
    from mlflow.entities import DatasetInput, InputTag

    if dataset is None or run.inputs.dataset_inputs:
        return
    entity = Entity(
        name=dataset.name,
        digest=dataset.digest[:12],  # MLflow allows 36; its table shows 12 in full
        source_type="convlens",
        source=json.dumps({"source": dataset.name, "digest": dataset.digest}),
        profile=json.dumps(dataset.profile),
    )
    client.log_inputs(
        run.info.run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])]
    )
