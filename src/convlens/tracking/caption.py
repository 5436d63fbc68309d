"""What a person reads in a table of runs: which is which, how good, how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _variant(name: str, note: Mapping[str, Any]) -> str:
    if name != "vgg16":
        return name
    tuned = note["params"]["vgg16"]["fine_tune"]["epochs"]
    return "vgg16 tuned" if tuned else "vgg16"


def title(name: str, note: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Return e.g. `vgg16 · drawn · 0.990`: MLflow's table shows no more; `note`: see origin."""
    score = f"{evaluation['accuracy']:.3f}" if evaluation else "not evaluated"
    parts = [_variant(name, note), note["params"]["data"]["source"], score]
    return " · ".join([*parts, *filter(None, [note["tags"].get("dvc.exp")])])


def summary(name: str, note: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Return a run's description in Markdown: recipe, result, command to repeat."""
    result = "Not evaluated yet."
    if evaluation:
        result = (
            f"**Test accuracy {evaluation['accuracy']:.3f}** "
            f"({evaluation['accuracy_low']:.3f} to {evaluation['accuracy_high']:.3f}, "
            f"{evaluation['n']} images), calibration error {evaluation['ece']:.3f}."
        )
    tags = note["tags"]
    commit = tags.get("git.commit", "")[:12] or "unknown"
    changed = " and uncommitted.diff" if tags.get("git.dirty") == "true" else ""
    source = note["params"]["data"]["source"]
    return (
        f"{_variant(name, note)} on `{source}`.\n\n{result}\n\n"
        f"Repeat: `git checkout {commit}`{changed}, then `dvc repro evaluate@{name}`"
    )
