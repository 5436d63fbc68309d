"""Held-out images that every model is confidently against: the label may be wrong.

Nothing is relabelled; a person has to look. (Agreement of independent models as evidence against
a label: Northcutt, Jiang & Chuang, Confident Learning, JAIR 2021.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convlens.files import read_csv, write_csv
from convlens.paths import evaluation

CONFIDENT = 0.9


@dataclass(frozen=True)
class Suspect:
    """An image in row `row` of the test arrays: its label, and what every model says instead.

    `probability` maps each model to its probability of `predicted`, all at least CONFIDENT.
    """

    row: int
    path: str
    label: str
    predicted: str
    probability: dict[str, float]


def find(predictions: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Suspect]:
    """Return the suspects, those first on which the least convinced model is most convinced.

    Parameters
    ----------
    predictions
        The rows of each model's predictions.csv, by model, about the same images in one order.

    Raises
    ------
    ValueError
        The models were not asked about the same images.
    """
    models = list(predictions)
    found = []
    for number, rows in enumerate(zip(*predictions.values(), strict=True)):
        path, label = rows[0]["path"], rows[0]["label"]
        if any((row["path"], row["label"]) != (path, label) for row in rows):
            raise ValueError(f"row {number}: the models were asked about different images")
        other = rows[0]["predicted"]
        against = [float(row[f"probability_{other}"]) for row in rows]
        if other != label and min(against) >= CONFIDENT:
            chances = dict(zip(models, (round(p, 6) for p in against), strict=True))
            found.append(Suspect(number, path, label, other, chances))
    return sorted(found, key=lambda s: (-min(s.probability.values()), s.path))


def from_files(root: Path, models: Sequence[str]) -> list[Suspect]:
    """Return the suspects of the `models` evaluated under `root`."""
    return find({m: read_csv(root / evaluation(m) / "predictions.csv") for m in models})


def write(suspects: Sequence[Suspect], models: Sequence[str], out: Path) -> None:
    """Write `path,label,predicted` and each model's probability of `predicted` as a table."""
    rows = [
        {"path": s.path, "label": s.label, "predicted": s.predicted, **s.probability}
        for s in suspects
    ]
    write_csv(out, ("path", "label", "predicted", *models), rows)
