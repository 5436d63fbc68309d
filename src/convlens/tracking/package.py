"""Pack a trained model so that MLflow alone can load and serve it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import convlens
from convlens.files import sha256
from convlens.models import heads

_GREY_PIXEL = "R0lGODdhAQABAIEAAH9/fwAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="  # a GIF
_NEEDS = ("mlflow", "tensorflow", "keras", "numpy", "pillow", "pydantic", "filelock")


def package(model: Path, folder: Path) -> None:
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
        str(folder),
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
