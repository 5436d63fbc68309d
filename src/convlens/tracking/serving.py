"""The file MLflow loads as the served model: photos in, class and probability out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from convlens.data.cells import photos, pixels
from convlens.errors import InputError
from convlens.evaluation.metrics import Scored
from convlens.evaluation.predict import logits
from convlens.files import sha256
from convlens.models import keras_file

BATCH = 32


class ConvLensModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A trained `.keras` file behind MLflow's pyfunc interface."""

    def load_context(self, context: Any) -> None:
        """Load the model in float32, only if it is the file that was logged."""
        path = Path(context.artifacts["model"])
        wanted, found = context.model_config["sha256"], sha256(path)
        if found != wanted:
            raise InputError(path, expected=f"sha256 {wanted}", found=found, fix="log it again")
        self.model = keras_file.load(path)
        self.classes = list(context.model_config["classes"])

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Classify photos; raises MlflowException naming the first image that cannot be read.

        `model_input` has a column `image`, whose cells are what `convlens.data.cells` reads; the
        answer has `predicted`, a class, and each class's probability in 0..1, e.g.
        `probability_dog`, one row an image.
        """
        size = int(self.model.input_shape[1])
        cells = [cell for given in model_input["image"] for cell in photos(given)]
        found = np.empty((len(cells), len(self.classes)))
        for start in range(0, len(cells), BATCH):
            part = cells[start : start + BATCH]
            try:
                images = np.stack([pixels(c, size, start + i) for i, c in enumerate(part)])
            except InputError as error:  # which the server would hide
                sentence = " ".join(str(error).split())
                raise mlflow.MlflowException.invalid_parameter_value(sentence) from error
            found[start : start + len(part)] = logits(self.model, images)
        scored = Scored(np.zeros(len(cells), np.uint8), found)
        said = {"predicted": [self.classes[label] for label in scored.predicted]}
        chances = zip(self.classes, scored.probabilities.T, strict=True)
        return pd.DataFrame(said | {f"probability_{name}": values for name, values in chances})


mlflow.models.set_model(ConvLensModel())
