"""A run's files, made up and tiny, under tmp_path."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.evaluation.summary import summary
from convlens.files import write_csv, write_json
from convlens.report.build import page

LAYERS = ("conv1", "pool1", "conv2")
EXAMPLES = ("cat_0", "dog_0")
NASTY = 'photos/<script>alert("x")</script>&.jpg'


def picture(path: Path, seed: int, size=(60, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def interval(key: str, value: float, half: float) -> dict[str, float]:
    return {key: value, f"{key}_low": value - half, f"{key}_high": value + half}


def trained(root: Path, model: str, accuracy: float) -> None:
    folder = root / "models" / model
    columns = ("epoch", "loss", "accuracy")
    rows = [{"epoch": e, "loss": 1 / e, "accuracy": 0.5 + e / 10} for e in (1, 2)]
    write_csv(folder / "curves.csv", columns, rows)
    timed = [row | {"seconds": 40.5} for row in rows]
    write_csv(folder / "history.csv", (*columns, "seconds"), timed)
    numbers = {"epochs": 2, "parameters": 1234567, "weights_sha256": f"{model}-weights"}
    write_json(folder / "metrics.json", numbers)
    tested = interval("accuracy", accuracy, 0.02) | {"log_loss": 2e-9, "roc_auc": 0.99999}
    tested |= {"balanced_accuracy": accuracy, "macro_f1": accuracy}
    tested |= {"brier": 0.012, "ece": 0.034, "n": 100, "precision": "float32", "model": "x"}
    write_json(root / "reports" / model / "evaluation/metrics.json", tested)
    predictions = [
        {"path": f"{number}.jpg", "label": "cat", "correct": int(number < 100 * accuracy)}
        for number in range(100)
    ]
    write_csv(
        root / "reports" / model / "evaluation/predictions.csv",
        ("path", "label", "correct"),
        predictions,
    )


def explained(root: Path, model: str) -> None:
    out = root / "reports" / model / "explain"
    rows = [
        {"layer": layer, "channels": 4, "height": 6, "width": 5, "sparsity": 0.25, "dead": 0.5,
         "receptive_field": 3}
        for layer in LAYERS
    ]  # fmt: skip
    write_csv(out / "activations/depth.csv", list(rows[0]), rows)
    for example, name in enumerate(EXAMPLES):
        for number, layer in enumerate(LAYERS, 1):
            grid = out / "activations" / name / f"{number:02d}_{layer}.png"
            picture(grid, 10 * example + number)
        picture(out / "heatmaps" / f"{name}.png", example)
        picture(out / "heatmaps" / f"{name}_layers.png", example)
    for layer in ("kernels", "conv2", "conv1"):
        picture(out / "filters" / f"{layer}.png", len(layer))
    numbers = {"images": 24, "filters": 8, "filters_unmoved": 1, "randomised_correlation": 0.1}
    write_json(out / "metrics.json", numbers | interval("deletion_minus_random", -0.2, 0.1))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two models, trained, evaluated and explained; one example has a hostile name."""
    data = {
        "source": "drawn", "archive_sha256": "archive-digest", "digest": "manifest-digest",
        "image_size": 32, "counts": {"train": {"cat": 1500, "dog": 7}},
        "accounting": {"entries": 9, "manifest": 8, "quarantine": 1, "duplicates": 0, "ignored": 0},
        "ignored": {},
    }  # fmt: skip
    prepared = tmp_path / "data/prepared"
    write_json(prepared / "data.json", data)
    paths = (NASTY, "photos/plain.jpg")
    rows = [
        {"file": f"{name}.png", "path": path, "label": name[:3]}
        for name, path in zip(EXAMPLES, paths, strict=True)
    ]
    for number, row in enumerate(rows):
        picture(prepared / "examples" / row["file"], number)
    write_csv(prepared / "examples/index.csv", ("file", "path", "label"), rows)
    for model, accuracy in (("convnet", 0.81), ("vgg16", 0.97)):
        trained(tmp_path, model, accuracy)
        explained(tmp_path, model)
        picture(tmp_path / "reports" / model / "curves.png", 7, (300, 120))
        picture(tmp_path / "reports" / model / "evaluation/mistakes.png", 8, (2600, 90))
    return tmp_path


@pytest.fixture
def html(run: Path) -> str:
    return page(run, summary(run, ("convnet", "vgg16"), 0.95))
