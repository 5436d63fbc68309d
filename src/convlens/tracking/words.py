"""What a person reads who wasn't there, from nothing but an MLflow run: name, description, card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from convlens.tracking.results import admitted

_NAMED = 6  # classes that a card names
_LONGEST = 250  # characters of a name, which stores keep


def title(run: Any, first: Any) -> str:
    """Return e.g. `vgg16 · drawn · 0.990`, which is all that MLflow's table shows of a run.

    The experiment follows, then the parameters of evaluation and explanation by which it differs
    from `first`, the first run of the same model and experiment.
    """
    params, metrics, tags = run.data.params, run.data.metrics, run.data.tags
    kind, known = tags.get("convlens.architecture", "data"), first.data.params
    apart = [
        f"{key.split('.', 1)[1]} {value}"
        for key, value in sorted(params.items())
        if key.startswith(("evaluate.", "explain.")) and known.get(key, value) != value
    ]
    tuned = " tuned" if params.get(admitted(f"{kind}.fine_tune.epochs"), "0") != "0" else ""
    result = f"{metrics['test_accuracy']:.3f}" if "test_accuracy" in metrics else "not evaluated"
    if kind == "data":
        result = f"{_images(metrics)} images"
    said = [kind + tuned, tags["data.source"], result, tags.get("dvc.exp"), ", ".join(apart)]
    return " · ".join(filter(None, said))[:_LONGEST]


def note(run: Any) -> str:
    """Return a run's description in Markdown: result, provenance, command to repeat."""
    m, tags = run.data.metrics, run.data.tags
    return _render("note.md", m=m, tags=tags, images=_images(m), p=run.data.params)


def card(run: Any) -> str:
    """Return what a user of a registered model must know, in Markdown."""
    profiles = [json.loads(used.dataset.profile) for used in run.inputs.dataset_inputs]
    counts = [f"{k} {sum(split.values())}" for p in profiles for k, split in p["counts"].items()]
    names = list(profiles[0]["counts"]["train"]) if profiles else []
    answers = f"one of its {len(names)} classes" if len(names) > _NAMED else " or ".join(names)
    m, tags, p = run.data.metrics, run.data.tags, run.data.params
    return _render("card.md", name=run.info.run_name, m=m, tags=tags, p=p, counts=counts,
        answers=answers or "one of its classes",
    )  # fmt: skip


def _images(metrics: Mapping[str, float]) -> int:
    return round(sum(value for key, value in metrics.items() if key.startswith("images_")))


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment

    text = (files("convlens") / "assets" / "tracking" / template).read_text(encoding="utf-8")
    return Environment(autoescape=False).from_string(text).render(values)
