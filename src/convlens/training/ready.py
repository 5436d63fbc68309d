"""The ready head's training: a logistic regression on VGG16's averaged features of photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data import ingest
from convlens.data.dataset import Split, load_split
from convlens.files import read_json
from convlens.models import ready
from convlens.models.ready import Head
from convlens.models.vgg16 import Weights
from convlens.params import DataParams
from convlens.progress import Progress, silent

if TYPE_CHECKING:
    import keras

SIZES = (150, 224)  # pixels a side: the tutorials' and the one VGG16 was made for
STRENGTHS = tuple(float(10.0 ** (k / 2)) for k in range(-10, -3))  # C: 1e-5 … 1e-2
_BATCH = 32
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """A head, how it and its rivals did, and what it learned from.

    Attributes
    ----------
    labels, logits
        Of the test split: (N,) uint8 and what the head says, (N,) float64.
    tried
        A row for each image size and C: `image_size`, `c`, and the validation split's `accuracy`
        and `log_loss`.
    data
        What `prepare` says about the photos.
    """

    head: Head
    labels: NDArray[np.uint8]
    logits: NDArray[np.float64]
    tried: list[dict[str, float]]
    data: dict[str, Any]


def train(
    data: DataParams,
    base: Weights,
    policy: str,
    scratch: Path,
    *,
    sizes: tuple[int, ...] = SIZES,
    progress: Progress = silent,
) -> Trained:
    """Train on the photos of `data.archive` and their mirror images.

    The image size and the regression's C are those with the least log loss on the validation
    split; only then is the test split looked at, once. `scratch` takes the decoded photos.
    """
    candidates: list[tuple[float, Head]] = []
    tried: list[dict[str, float]] = []
    for size in sizes:
        folder = scratch / str(size)
        wanted = data.model_copy(update={"image_size": size})
        ingest.prepare(Path(str(data.archive)), folder, wanted, progress=progress)
        net = ready.features(base, size, policy)
        split, held_out = load_split(folder, "train"), load_split(folder, "validation")
        views = [_features(net, split, mirrored, progress) for mirrored in (False, True)]
        plain = _features(net, held_out, False, progress)
        for strength in STRENGTHS:
            head = _fit(np.concatenate(views), np.tile(split.labels, 2), strength, size)
            logits = _logits(head, plain)
            loss = float(np.logaddexp(0, np.where(held_out.labels, -logits, logits)).mean())
            accuracy = float(((logits > 0) == held_out.labels).mean())
            tried.append(
                {"image_size": size, "c": strength, "accuracy": accuracy, "log_loss": loss}
            )
            candidates.append((loss, head))
    _, best = min(candidates, key=lambda candidate: candidate[0])
    folder = scratch / str(best.image_size)
    test = load_split(folder, "test")
    features = _features(ready.features(base, best.image_size, policy), test, False, progress)
    labels = np.asarray(test.labels)
    return Trained(best, labels, _logits(best, features), tried, read_json(folder / "data.json"))


def _features(net: keras.Model, split: Split, mirrored: bool, progress: Progress) -> Floats:
    """Return the features (N, 512) of the photos, or of their mirror images."""
    found = []
    starts = range(0, len(split), _BATCH)
    for start in progress(starts, what=f"features at {net.input_shape[1]} px", unit="batch"):
        batch = np.asarray(split.images[start : start + _BATCH], np.float32)
        found.append(net.predict_on_batch(batch[:, :, ::-1] if mirrored else batch))
    return np.concatenate(found).astype(np.float32)


def _fit(features: Floats, labels: NDArray[np.uint8], strength: float, size: int) -> Head:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, max_iter=5000).fit(features.astype(np.float64), labels)
    return Head(fitted.coef_[0].astype(np.float32), float(np.float32(fitted.intercept_[0])), size)


def _logits(head: Head, features: Floats) -> NDArray[np.float64]:
    found: NDArray[np.float64] = features.astype(np.float64) @ head.kernel.astype(np.float64)
    return found + head.bias
