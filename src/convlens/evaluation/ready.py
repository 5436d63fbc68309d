"""The ready head's training: a logistic regression on VGG16's averaged features of photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convlens.data import ingest
from convlens.data.dataset import Split, load_split
from convlens.evaluation.metrics import Scored, of_two, summary
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
    test
        `accuracy`, `accuracy_low`, `accuracy_high`, `log_loss`, `ece` … on the test split.
    tried
        A row for each image size and C: `image_size`, `c`, and the validation split's `accuracy`
        and `log_loss`.
    data
        What `prepare` says about the photos.
    """

    head: Head
    test: dict[str, float | int]
    tried: list[dict[str, float]]
    data: dict[str, Any]


def train(
    data: DataParams,
    base: Weights,
    policy: str,
    scratch: Path,
    *,
    sizes: tuple[int, ...] = SIZES,
    confidence: float = 0.95,
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
            found = _score(head, plain, held_out.labels, confidence)
            tried.append({
                "image_size": size, "c": strength,
                "accuracy": found["accuracy"], "log_loss": found["log_loss"],
            })  # fmt: skip
            candidates.append((found["log_loss"], head))
    _, best = min(candidates, key=lambda candidate: candidate[0])
    folder = scratch / str(best.image_size)
    test = load_split(folder, "test")
    features = _features(ready.features(base, best.image_size, policy), test, False, progress)
    result = _score(best, features, test.labels, confidence)
    return Trained(best, result, tried, read_json(folder / "data.json"))


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


def _score(
    head: Head, features: Floats, labels: NDArray[np.uint8], confidence: float
) -> dict[str, float | int]:
    logits = features.astype(np.float64) @ head.kernel.astype(np.float64) + head.bias
    return summary(Scored(labels, of_two(logits)), confidence, bins=10)


def card(trained: Trained, command: str) -> str:
    """Return the head's card as Markdown."""
    test, data, counts = trained.test, trained.data, trained.data["counts"]
    sizes = ", ".join(f"{sum(count.values()):,} {split}" for split, count in counts.items())
    best = {
        size: min((r for r in trained.tried if r["image_size"] == size), key=_log_loss)
        for size in sorted({int(row["image_size"]) for row in trained.tried})
    }
    rows = "\n".join(
        f"| {size} | {row['c']:.2g} | {row['log_loss']:.4f} | {row['accuracy']:.1%} |"
        for size, row in best.items()
    )
    return f"""# The ready head

One logit of "dog" on VGG16's globally averaged `block5_pool` features: 512 weights and a bias in
`ready_head.npz`, for photos of {trained.head.image_size} × {trained.head.image_size} pixels. \
`convlens explain --model ready` puts it on
the ImageNet base, which is fetched once.

| on {test["n"]:,} test photos | |
|---|---|
| accuracy | {test["accuracy"]:.1%} (95 % interval {test["accuracy_low"]:.1%} to \
{test["accuracy_high"]:.1%}) |
| log loss | {test["log_loss"]:.3f} nats |
| ROC AUC | {test["roc_auc"]:.4f} |
| calibration error (10 bins) | {test["ece"]:.3f} |

**Data.** Photos of the Asirra set of cats and dogs (Microsoft), in the small selection that the
tutorials use: {sizes}.
Archive sha256 `{data["archive_sha256"]}`,
manifest sha256 `{data["digest"]}`.

**Training.** L2-regularised logistic regression (scikit-learn) on the training photos and their
mirror images. Image size and C have the least log loss on the validation split; the test split
was scored once, afterwards.

| pixels a side | best C | validation log loss | validation accuracy |
|---|---|---|---|
{rows}

Repeat: `{command}`

**Limits.** It knows cats and dogs only, and says one of them of anything else: a horse, a face, a
car. Photos are squashed to a square. It learned from amateurs' photos of pets in American animal
shelters; its accuracy on other photos is unknown, and on drawings it is bound to be lower.

VGG16's weights: Simonyan & Zisserman, CC BY 4.0.
"""


def _log_loss(row: dict[str, float]) -> float:
    return row["log_loss"]
