"""What a person reads who wasn't there: a run's name and description, a model's card."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from convlens.tracking.results import Run


def title(run: Run, first: Any = None) -> str:
    """Return e.g. `vgg16 · drawn · 0.990`, which is all that MLflow's table shows of a run.

    A run of an experiment ends with its name; another one, if `first` is the oldest of the same
    model, with the parameters by which it differs from that.
    """
    known, numbers = (first.data.params if first else {}), _numbers(run)
    apart = [
        f"{key.split('.', 1)[1]} {value}"
        for key, value in run.looks.items()
        if known.get(key, value) != value
    ]
    score = f"{numbers['test_accuracy']:.3f}" if "test_accuracy" in numbers else "not evaluated"
    result = f"{numbers['images']} images" if run.name == "data" else score
    last = run.experiment or ", ".join(apart[:2])
    return " · ".join(filter(None, [_variant(run), run.tags["data.source"], result, last]))


def note(run: Run) -> str:
    """Return a run's description in Markdown: result, provenance, command to repeat."""
    return _render(
        "note.md", run=run, variant=_variant(run), m=_numbers(run), core=run.parts[0],
        command="dvc repro " + ("prepare" if run.name == "data" else f"evaluate@{run.name}"),
    )  # fmt: skip


def card(run: Any) -> str:
    """Return what a user of a registered model must know, from nothing but its MLflow run."""
    profiles = [json.loads(used.dataset.profile) for used in run.inputs.dataset_inputs]
    counts = [
        f"{name} {sum(split.values())}" for p in profiles for name, split in p["counts"].items()
    ]
    data = run.data
    return _render(
        "card.md", name=run.info.run_name, kind=data.tags["convlens.architecture"], tags=data.tags,
        source=data.params["data.source"], p=data.params, m=data.metrics,
        counts=f"{', '.join(counts)} images" if counts else "",
    )  # fmt: skip


def _variant(run: Run) -> str:
    tuned = run.parts[0].params.get("vgg16.fine_tune.epochs", "0") != "0"
    return f"{run.name} tuned" if tuned else run.name


def _numbers(run: Run) -> dict[str, float]:
    found = {key: value for made in run.parts for key, value in made.metrics.items()}
    return found | {"images": sum(round(v) for k, v in found.items() if k.startswith("images_"))}


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment

    text = (files("convlens") / "assets" / "tracking" / template).read_text(encoding="utf-8")
    return Environment(autoescape=False).from_string(text).render(values)
