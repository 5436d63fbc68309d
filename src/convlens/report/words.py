"""Sentences and verdicts from numbers; they say what does not hold as plainly as what does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from convlens.errors import InputError
from convlens.files import read_csv
from convlens.models import registry
from convlens.text import percent, says

Verdict = Literal["yes", "open", "no"]
Metrics = Mapping[str, float]
NAMED = 6  # most classes that a heading names
_DESTROYED = 0.5  # rank correlation below which a map counts as another one


@dataclass(frozen=True)
class Answer:
    """One model's number for a check, as text, and what follows from it."""

    text: str
    verdict: Verdict


@dataclass(frozen=True)
class Check:
    """A question about the heatmaps and each model's answer; None where it was not measured."""

    question: str
    answers: dict[str, Answer | None]


@dataclass(frozen=True)
class _Ask:
    """A check of `key` in metrics.json: good if it is above `bar` (below, if `sign` is -1)."""

    key: str
    question: str
    failure: str
    sign: int = 1
    bar: float = 0.0
    form: str = "{:+.3f}"


_ASKS = (
    _Ask("deletion_minus_random", "Blurring hot places first hurts more than random places",
         "blurring by its heatmap does not hurt more than blurring at random", sign=-1),
    _Ask("deletion_minus_gaussian", "… and more than blurring from the centre",
         "blurring by its heatmap does not hurt more than blurring from the centre", sign=-1),
    _Ask("insertion_minus_random", "Bringing hot places back first helps more than random places",
         "bringing back by its heatmap does not help more than at random"),
    _Ask("insertion_minus_gaussian", "… and more than starting from the centre",
         "bringing back by its heatmap does not help more than starting from the centre"),
    _Ask("energy_ratio_animal", "Heat on the animal, against its share of the area",
         "its maps put no more heat on the animal than its area explains",
         bar=1.0, form="{:.2f} ×"),
    _Ask("energy_animal_minus_gaussian", "Heat on the animal, beyond a centred Gaussian",
         "its maps do not beat the centred Gaussian on the animal"),
    _Ask("energy_ratio_parts", "Heat on ears and muzzle, against their share of the area",
         "its maps put no more heat on ears and muzzle than their area explains",
         bar=1.0, form="{:.2f} ×"),
    _Ask("energy_parts_minus_gaussian", "Heat on ears and muzzle, beyond a centred Gaussian",
         "its maps do not beat the centred Gaussian on ears and muzzle"),
)  # fmt: skip


def checks(metrics: Mapping[str, Metrics]) -> tuple[list[Check], dict[str, list[str]]]:
    """Judge explain/metrics.json of each model.

    A check holds ("yes") if the whole interval lies on the good side, fails ("no") if it lies on
    the other side, and is "open" if it holds both.

    Returns
    -------
    checks, failures
        The table, and for each model what its heatmaps do not show, as parts of a sentence.
    """
    table = []
    failures: dict[str, list[str]] = {model: [] for model in metrics}
    for ask in _ASKS:
        answers = {model: _answer(ask, found) for model, found in metrics.items()}
        if any(answers.values()):
            table.append(Check(ask.question, answers))
        for model, answer in answers.items():
            if answer and answer.verdict != "yes":
                doubt = ", as far as these images can tell" if answer.verdict == "open" else ""
                failures[model].append(ask.failure + doubt)
    key = "randomised_correlation"
    survivors = {m: _survival(found[key]) for m, found in metrics.items() if key in found}
    if survivors:
        question = "Random weights destroy the map (correlation with the trained one near 0)"
        table.append(Check(question, {model: survivors.get(model) for model in metrics}))
    for model, answer in survivors.items():
        if answer.verdict == "no":
            failures[model].append("its maps survive random weights, so they show little of it")
    return table, failures


def _survival(correlation: float) -> Answer:
    destroyed = abs(correlation) < _DESTROYED
    return Answer(f"{correlation:+.2f}".replace("-", "−"), "yes" if destroyed else "no")


def _answer(ask: _Ask, found: Metrics) -> Answer | None:
    if ask.key not in found:
        return None
    value, low, high = (found[ask.key + end] for end in ("", "_low", "_high"))
    text = f"{ask.form.format(value)} ({ask.form.format(low)} to {ask.form.format(high)})"
    text = text.replace("-", "−")
    worst, best = sorted((ask.sign * (low - ask.bar), ask.sign * (high - ask.bar)))
    return Answer(text, "yes" if worst > 0 else "no" if best < 0 else "open")


def accounting(data: Mapping[str, Any]) -> str:
    """Say where every entry of the archive went."""
    of = data["accounting"]
    ignored = ", ".join(
        f"{count:,} × {reason}" for reason, count in sorted(data["ignored"].items())
    )
    return (
        f"The archive has {of['entries']:,} entries: {of['manifest']:,} images are used, "
        f"{of['quarantine']:,} could not be used, {of['duplicates']:,} were copies of others and "
        f"{of['ignored']:,} are no images of the task" + (f" ({ignored})." if ignored else ".")
    )


def task(classes: Sequence[str]) -> str:
    """Return the question that the models answer: "cat or dog?", "which of 37 classes?"."""
    if len(classes) > NAMED:
        return f"which of {len(classes):,} classes?"
    return f"{', '.join(classes[:-1])} or {classes[-1]}?"


def networks(models: Sequence[str]) -> str:
    """Return how many networks there are: "one network", "two networks", "7 networks"."""
    count = len(models)
    words = ("no", "one", "two", "three", "four", "five")
    return f"{words[count] if count < len(words) else count} network{'s' * (count != 1)}"


def introduced(models: Sequence[str]) -> str:
    """Return what the models are, as the beginning of a sentence."""
    *others, last = [_introduced(model) for model in models]
    text = f"{', '.join(others)}{',' * bool(others)} and {last}" if others else last
    return text[0].upper() + text[1:]


def _introduced(net: str) -> str:
    try:
        return registry.introduced(net)
    except InputError:  # a net that isn't in the table has a name all the same
        return net


def guessed(table: Path, drawn: bool) -> str:
    """Say what a net with ImageNet's 1000 classes makes of Chelsea and of the examples."""
    if not table.is_file():
        return ""
    rows = [row for row in read_csv(table) if row["rank"] == "1"]
    first = {row["photo"]: (row["name"], float(row["probability"])) for row in rows}
    learned = "EfficientNet-Lite0 learned to tell 1000 things apart, 120 of them breeds of dog."
    text = f"{learned} Chelsea, a photo of a cat, is to it: {says(*first.pop('chelsea'))}."
    if not (drawn and first):
        return text
    names = ", ".join(sorted({name for name, _ in first.values()}))
    low, high = (percent(end(p for _, p in first.values())) for end in (min, max))
    drawings = f"the {len(first)} drawings" if len(first) > 1 else "the drawing"
    return (
        f"{text} Drawings it never saw: its first guesses of {drawings} are {names}, at {low} to \
{high}. What a net knows of photos tells it little of drawings."
    )


def comparison(predictions: Mapping[str, Path]) -> list[str]:
    """Say of the best model and each other one whether their predictions differ beyond chance.

    Exact sign test on the images that only one of them gets right (McNemar 1947), from the
    models' predictions.csv.
    """
    right = {
        model: {row["path"]: row["correct"] == "1" for row in read_csv(path)}
        for model, path in predictions.items()
    }
    best = max(right, key=lambda model: sum(right[model].values()))
    pairs = ((a, b) for a, b in combinations(right, 2) if best in (a, b))
    return [_compared(a, b, right[a], right[b], len(right)) for a, b in pairs]


def _compared(
    first: str, second: str, a: Mapping[str, bool], b: Mapping[str, bool], models: int
) -> str:
    from scipy.stats import binomtest

    common = sorted(a.keys() & b.keys())
    only_a = sum(a[path] and not b[path] for path in common)
    only_b = sum(b[path] and not a[path] for path in common)
    both = sum(a[path] and b[path] for path in common)
    who = "Both models" if models == 2 else f"{first} and {second} both"
    start = f"{who} get {both:,} of {len(common):,} test images right"
    if only_a + only_b == 0:
        return f"{start}, and they err on the same ones."
    p = float(binomtest(only_a, only_a + only_b).pvalue)
    end = "More than chance explains" if p < 0.05 else "Too little to call one of them better"
    return (
        f"{start}; {first} alone another {only_a:,}, {second} alone another {only_b:,}. "
        f"{end} (exact sign test, p = {p:.2g})."
    )
