"""The file MLflow loads as the served model: photos in, class and probability out."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray

BATCH = 32
_AROUND_BASE64 = re.compile(rb"\A\s*data:[^,]*,|\s")


class ConvLensModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A trained `.keras` file behind MLflow's pyfunc interface."""

    def load_context(self, context: Any) -> None:
        """Load the model in float32, only if it is the file that was logged."""
        from convlens.errors import InputError
        from convlens.files import sha256
        from convlens.models import keras_file

        path = Path(context.artifacts["model"])
        expected, found = context.model_config["sha256"], sha256(path)
        if found != expected:
            raise InputError(
                path, expected=f"sha256 {expected}", found=found, fix="log the model again"
            )
        self.model = keras_file.load(path)

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's interface
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Classify photos.

        Parameters
        ----------
        model_input
            A table with column `image`. Each cell is a JPEG, PNG, GIF, BMP or WebP file as base64
            text (a data URI or with line breaks, too) or as bytes, or pixels (S, S, 3) RGB in
            0..255 (array or nested lists); or a list of files.

        Returns
        -------
        pandas.DataFrame
            `predicted` ("cat" or "dog") and `probability_dog` in 0..1, one row an image.

        Raises
        ------
        InputError
            Naming the first image that cannot be read.
        """
        from convlens.data import CLASSES

        size = int(self.model.input_shape[1])
        cells = [cell for found in model_input["image"] for cell in _each(found)]
        logits = np.empty(len(cells))
        for start in range(0, len(cells), BATCH):
            part = cells[start : start + BATCH]
            images = np.stack([pixels(c, size, start + i) for i, c in enumerate(part)])
            logits[start : start + len(part)] = self.model.predict_on_batch(images).reshape(-1)
        return pd.DataFrame(
            {
                "predicted": [CLASSES[int(logit > 0)] for logit in logits],
                "probability_dog": 1 / (1 + np.exp(-logits)),
            }
        )


def _each(found: Any) -> list[Any]:
    """Return the photos of one cell: `{"image": [one, two]}` arrives in a single one."""
    several = (
        isinstance(found, list | np.ndarray) and len(found) and isinstance(found[0], str | bytes)
    )
    return list(found) if several else [found]


def pixels(cell: Any, size: int, row: int) -> NDArray[np.float32]:
    """Return (size, size, 3) RGB in 0..255 from one cell of the input; see `predict`."""
    from convlens.data.decode import BadPhotoError, TooManyPixelsError, decode
    from convlens.errors import InputError

    try:
        if isinstance(cell, str | bytes):
            return decode(_file(cell), size).pixels.astype(np.float32)
        # A table keeps pixels as nested arrays of objects.
        array = np.array(np.asarray(cell).tolist(), dtype=np.float32)
    except (BadPhotoError, TooManyPixelsError, TypeError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
    else:
        if array.shape == (size, size, 3) and array.min() >= 0 and array.max() <= 255:
            return array
        values = f" from {array.min():g} to {array.max():g}" if array.size else ""
        found = f"an array of shape {array.shape}{values}"
    expected = f"a photo as base64 text or bytes, or pixels ({size}, {size}, 3) in 0..255"
    raise InputError(f"image {row}", expected=expected, found=found[:200], fix="mend this image")


def _file(cell: str | bytes) -> bytes:
    """Return the bytes of a photo's file from its base64 text, if it is one."""
    text = _AROUND_BASE64.sub(b"", cell.encode() if isinstance(cell, str) else cell)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        if isinstance(cell, bytes):
            return cell
        raise


mlflow.models.set_model(ConvLensModel())
