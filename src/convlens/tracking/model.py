"""A trained model in MLflow: logged once, so that MLflow alone can load and serve it."""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import convlens
from convlens.files import sha256
from convlens.models import heads
from convlens.tracking.results import Run, admitted

_GREY_PIXEL = "R0lGODdhAQABAIEAAH9/fwAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="  # a GIF
_NEEDS = ("mlflow", "tensorflow", "keras", "numpy", "pillow", "pydantic", "filelock")


def has_files(client: Any, logged: Any) -> bool:
    """Return whether the files of a logged model are where the store says that they are."""
    from mlflow.artifacts import list_artifacts  # the client's remembers where they once were

    return bool(list_artifacts(logged.artifact_location, tracking_uri=client.tracking_uri))


def logged_model(client: Any, experiment: str, digest: str) -> str:
    """Return the id of the model logged with these weights, "" if none is whole."""
    for logged in client.search_logged_models([experiment], f"tags.`convlens.model` = '{digest}'"):
        if str(logged.status) != "READY":
            client.delete_logged_model(logged.model_id)  # left by a killed projection
        elif has_files(client, logged):
            return str(logged.model_id)
    return ""


def log_model(client: Any, experiment: str, there: Any, run: Run, model: Path) -> str:
    """Log the file `model` as a pyfunc once and tie it to its run `there`; return its id."""
    from mlflow.entities import LoggedModelOutput

    run_id = there.info.run_id
    known = logged_model(client, experiment, run.digest)
    model_id = known or _log(client, experiment, run_id, run, model)
    tied = there.outputs.model_outputs if there.outputs else []
    if model_id not in [output.model_id for output in tied]:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    return model_id


def _log(client: Any, experiment: str, run_id: str, run: Run, model: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        _pack(model, f"{folder}/model")
        logged = client.create_logged_model(
            experiment, name=admitted(f"convlens-{run.name}"), source_run_id=run_id,
            tags={"convlens.model": run.digest}, params=run.parts[0].params,
            model_type="image-classifier",
        )  # fmt: skip
        client.log_model_artifacts(logged.model_id, f"{folder}/model")
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def _pack(model: Path, folder: str) -> None:
    """Write an MLflow model to `folder`: the `.keras` file and this package's code, no pickle."""
    import mlflow.pyfunc
    import pandas as pd  # type: ignore[import-untyped]
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    code = Path(str(convlens.__file__)).parent
    classes = heads.load_names(model.parent)
    answer = [ColSpec(DataType.string, "predicted")]
    answer += [ColSpec(DataType.double, f"probability_{name}") for name in classes]
    mlflow.pyfunc.save_model(
        folder,
        python_model=str(code / "tracking/serving.py"),
        artifacts={"model": str(model)},
        model_config={"sha256": sha256(model), "classes": list(classes)},
        code_paths=[str(code)],
        pip_requirements=[f"{name}=={version(name)}" for name in _NEEDS],
        signature=ModelSignature(
            inputs=Schema([ColSpec(DataType.string, "image")]), outputs=Schema(answer)
        ),
        input_example=pd.DataFrame({"image": [_GREY_PIXEL]}),
    )
