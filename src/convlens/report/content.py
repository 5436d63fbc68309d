"""What the page shows, read from the files of a run; what is missing is None or empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from convlens import paths
from convlens.files import read_csv, read_json
from convlens.params import CONVNET
from convlens.report import viewer, words
from convlens.report.pictures import Embedded, chart, picture
from convlens.text import decimal, percent

SUSPECTS_SHOWN = 20
SHEETS = 6  # classes whose contact sheets are on the page
PHOTOS = 12  # photos whose heatmaps are on the page
# A model's colour, by its place among them (Okabe & Ito, Color Universal Design, 2008).
COLOURS = ("#e69f00", "#009e73", "#56b4e9", "#cc79a7", "#d55e00", "#0072b2")


@dataclass(frozen=True)
class Result:
    """One model's row: texts by column, and its interval in percent of the axis it is drawn on."""

    model: str
    texts: dict[str, str]
    low: float
    value: float
    high: float


def content(root: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the page's template for the run under `root`."""
    reports, nets = root / paths.REPORTS, list(summary["models"])
    photos = viewer.examples(root)
    measured = {model: root / paths.explanation(model) / paths.METRICS for model in nets}
    explained = {model: read_json(path) for model, path in measured.items() if path.is_file()}
    checks, failures = words.checks(explained)
    data = read_json(root / paths.DATA)
    classes = list(data["counts"]["train"])
    spread = photos[:: -(-len(photos) // PHOTOS) or 1]
    layers = _there(viewer.activations(root, model, photos) for model in nets)
    large = f"explain/activations/{layers[0].photos[-1].name}" if layers else "none"
    rows, axis = _results(summary)
    faultless = [model for model, m in summary["models"].items() if m["accuracy"] == 1]
    return {
        "photos": photos,
        "task": words.task(classes),
        "networks": words.networks(nets),
        "introduced": words.introduced(nets),
        "by_class": _by_class(reports, nets, classes),
        "summary": summary,
        "data": data,
        "drawn": data["source"] == "drawn",
        "level": f"{100 * summary['confidence']:g} %",
        "results": rows,
        "axis": axis,
        "comparison": words.comparison(
            {net: root / paths.evaluation(net) / "predictions.csv" for net in nets}
        ),
        "curves": _each(reports, nets, "curves.png", "accuracy and log loss by epoch", chart),
        "views": CONVNET in nets
        and _one(reports / "convnet/views.png", "pictures as the convnet's epochs see them"),
        "layers": layers,
        "overviews": _each(reports, nets, f"{large}/overview.png",
                           "the convolutions' most varied channels", picture),
        "channels": _each(reports, nets, f"{large}/channels.png",
                          "one channel of each layer", picture),
        "depth": _each(reports, nets, "explain/activations/depth.png",
                       "share of zero answers and field of view by layer", chart),
        "filters": _there(viewer.filters(root, model) for model in nets),
        "unmoved": {m: (f.get("filters_unmoved"), f.get("filters")) for m, f in explained.items()},
        "sure": [
            (kind, _each(reports, nets, f"evaluation/{kind}.png", kind, chart))
            for kind in ("confusion", "roc", "calibration")
        ],
        "mistakes": _each(reports, [model for model in nets if model not in faultless],
                          "evaluation/mistakes.png", "most confident mistakes", picture),
        "faultless": faultless,
        "looks": viewer.heatmaps(root, nets, spread),
        "classes": _each(reports, nets, "explain/heatmaps/classes.png",
                         "evidence for several classes", picture),
        "methods": _each(reports, nets, "explain/heatmaps/methods.png",
                         "six ways to ask where it looks", picture),
        "faithfulness": _each(reports, nets, "explain/heatmaps/faithfulness.png",
                              "deletion and insertion curves", chart),
        "checks": checks,
        "failures": failures,
        "measured": max((found["images"] for found in explained.values()), default=0),
        "imagenet": _folder(root / paths.IMAGENET, "ImageNet's 1000 classes"),
        "guessed": words.guessed(root / paths.IMAGENET / "guesses.csv", data["source"] == "drawn"),
        "accounting": words.accounting(data),
        "one": len(summary["models"]) == 1,
        "colours": dict(zip(summary["models"], cycle(COLOURS), strict=False)),
        "contact": _contact(root, data),
        "sheets": _sheets(root, data),
        "suspects": _suspects(reports),
        "suspect_sheet": _one(reports / "label_suspects.png", "images whose label may be wrong"),
    }  # fmt: skip


def _results(summary: Mapping[str, Any]) -> tuple[list[Result], tuple[str, str]]:
    models = summary["models"]
    floor = int(min(m["accuracy_low"] for m in models.values()) * 20) / 20
    start = floor if floor < 1 else 0.95

    def place(share: float) -> float:
        return round(100 * (share - start) / (1 - start), 2)

    rows = []
    for model, m in models.items():
        texts = {
            "accuracy": percent(m["accuracy"]),
            "interval": f"{percent(m['accuracy_low'])} to {percent(m['accuracy_high'])}",
            "balanced_accuracy": percent(m["balanced_accuracy"]),
            "macro_f1": decimal(m["macro_f1"]),
            "log_loss": decimal(m["log_loss"]),
            "roc_auc": decimal(m["roc_auc"]),
            "brier": decimal(m["brier"]),
            "ece": decimal(m["ece"]),
            "parameters": f"{m['parameters']:,}",
        }
        ends = (place(m[key]) for key in ("accuracy_low", "accuracy", "accuracy_high"))
        rows.append(Result(model, texts, *ends))
    return rows, (f"{100 * start:g} %", "100 %")


def _by_class(reports: Path, nets: Sequence[str], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row a class: its name, its test images, and each model's scores as text."""
    tables = {
        model: read_csv(path)
        for model in nets
        if (path := reports / model / "evaluation/classes.csv").is_file()
    }
    return [
        {
            "name": name,
            "support": next(iter(tables.values()))[number]["support"],
            "scores": {
                model: [percent(float(rows[number][key])) for key in ("precision", "recall", "f1")]
                for model, rows in tables.items()
            },
        }
        for number, name in enumerate(classes)
        if tables
    ]


def _each(
    reports: Path,
    models: Sequence[str],
    name: str,
    what: str,
    embed: Callable[[Path, str], Embedded],
) -> list[Embedded]:
    files = {model: reports / model / name for model in models}
    return [embed(path, f"{model}: {what}") for model, path in files.items() if path.is_file()]


def _there(viewers: Any) -> list[viewer.Viewer]:
    return [found for found in viewers if found]


def _folder(folder: Path, what: str) -> list[Embedded]:
    return [
        picture(path, f"{what}: {path.stem.replace('_', ' ')}")
        for path in sorted(folder.glob("*.png"))
    ]


def _contact(root: Path, data: Mapping[str, Any]) -> list[Embedded]:
    folder = root / paths.DATA_REPORT / "contact"
    files = {label: folder / f"{label}.png" for label in list(data["counts"]["train"])[:SHEETS]}
    return [
        picture(path, f"contact sheet of {label}")
        for label, path in files.items()
        if path.is_file()
    ]


def _sheets(root: Path, data: Mapping[str, Any]) -> dict[str, Embedded]:
    """Return the data report's figures by name, without those that show nothing."""
    manifest = root / paths.MANIFEST
    groups = [row["group"] for row in read_csv(manifest)] if manifest.is_file() else []
    alike = data["accounting"]["duplicates"] or len(set(groups)) < len(groups)
    shown = {
        "brightness": "brightness by class",
        "sizes": "sizes before preparation",
        "quarantine": "images that are not used" if data["accounting"]["quarantine"] else "",
        "duplicates": "suspected duplicates" if alike else "",
    }
    folder = root / paths.DATA_REPORT
    files = {name: folder / f"{name}.png" for name, alt in shown.items() if alt}
    return {
        name: (chart if name in ("brightness", "sizes") else picture)(path, shown[name])
        for name, path in files.items()
        if path.is_file()
    }


def _one(path: Path, alt: str) -> Embedded | None:
    return picture(path, alt) if path.is_file() else None


def _suspects(reports: Path) -> list[dict[str, str]] | None:
    path = reports / "label_suspects.csv"
    return read_csv(path)[:SUSPECTS_SHOWN] if path.is_file() else None
