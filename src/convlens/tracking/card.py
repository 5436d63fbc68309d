"""The model card of a registered model, in Markdown, from nothing but its run."""

from __future__ import annotations

import json
from typing import Any

_DATA_TERMS = {
    "drawn": "drawn by ConvLens itself, under its licence (MIT)",
    "archive": "a local archive, under the terms of whoever made it",
    "cats-and-dogs-small": "photos from Microsoft's cats and dogs, under Microsoft's terms",
    "kaggle-cats-dogs": "Microsoft's cats and dogs, under Microsoft's terms",
}
_WEIGHTS = {"vgg16": "VGG16's ImageNet weights: Simonyan & Zisserman, CC BY 4.0. "}


def card(run: Any) -> str:
    """Return what a user of the model must know: data, recipe, results, limits, licences."""
    tags, params = run.data.tags, run.data.params
    source, kind = params["data.source"], tags["convlens.architecture"]
    parts = {
        "Data": _data(run, source, params),
        "Recipe": _recipe(kind, tags, params),
        "Results": _results(run.data.metrics),
        "Limits": _limits(source),
        "Licences": f"{_WEIGHTS.get(kind, '')}Data: {_DATA_TERMS[source]}.",
    }
    return f"# {run.info.run_name}\n\n" + "\n\n".join(f"## {k}\n{v}" for k, v in parts.items())


def _data(run: Any, source: str, params: dict[str, str]) -> str:
    counts = ""
    for used in run.inputs.dataset_inputs:
        splits = json.loads(used.dataset.profile)["counts"]
        counts = ", ".join(f"{name} {sum(split.values())}" for name, split in splits.items())
    size = params["data.image_size"]
    return (
        f"`{source}` ({counts or 'counts not recorded'} images), squashed to {size} × {size} "
        f"pixels; digest `{run.data.tags.get('data.digest', 'unknown')}`."
    )


def _recipe(kind: str, tags: dict[str, str], params: dict[str, str]) -> str:
    fit = ", ".join(
        f"{key} {params[f'{kind}.{key}']}"
        for key in ("epochs", "optimizer", "learning_rate", "batch_size", "dropout", "seed")
    )
    changed = " with uncommitted changes (kept with the run)" if _dirty(tags) else ""
    commit = tags.get("git.commit", "unknown")
    return (
        f"{kind}: {fit}. Commit `{commit}`{changed}, {tags.get('precision')}, "
        f"{tags.get('cpu')}.\n\n"
        f"Repeat: `git checkout {commit[:12]} && dvc repro evaluate@{kind}`"
    )


def _dirty(tags: dict[str, str]) -> bool:
    return tags.get("git.dirty") == "true"


def _results(metrics: dict[str, float]) -> str:
    low, high = metrics["test_accuracy_low"], metrics["test_accuracy_high"]
    lines = [
        "| on the test split | |",
        "|---|---|",
        f"| accuracy | {metrics['test_accuracy']:.4f} (interval {low:.4f} to {high:.4f}) |",
    ]
    rows = {"log loss": "log_loss", "ROC AUC": "roc_auc", "Brier score": "brier"}
    rows |= {"calibration error (ECE)": "ece", "images": "n"}
    lines += [
        f"| {label} | {metrics[f'test_{key}']:.4g} |"
        for label, key in rows.items()
        if f"test_{key}" in metrics
    ]
    return "\n".join(lines)


def _limits(source: str) -> str:
    seen = "drawings of cats and dogs, never a photo" if source == "drawn" else "photos of pets"
    return (
        f"It has seen {seen}, one animal in each, and answers cat or dog to anything. Its "
        "probability says how sure it is among pictures like these, and nothing about others. "
        "Proportions are squashed to a square. Not for decisions about real animals."
    )
