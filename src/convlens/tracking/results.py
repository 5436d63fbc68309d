"""What the files say about a model or the data, as one plain value that knows no MLflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens import lock, paths, provenance
from convlens.errors import InputError, masked
from convlens.files import read_csv, read_json
from convlens.params import BY_NET, flat
from convlens.parts import DATA, Params, Part, chosen, parts, recipe_of

UNKNOWN = "-"  # sorts before every date
_SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


@dataclass(frozen=True)
class Made:
    """A part that stands there; `mark` is when it was made: of two the later sorts last."""

    part: Part
    mark: str
    when: int
    provenance: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    files: dict[str, Path]


@dataclass(frozen=True)
class Run:
    """One model, or one prepared data, with one evaluation and one explanation of it.

    `key` is the tag by which it is found; `parts` begin with the core, model or data; `looks` are
    the parameters of its evaluation and explanation, made or about to be; `dataset` is data.json,
    if it stands there; `series` holds (epoch, value).
    """

    name: str
    key: str
    digest: str
    parts: list[Made]
    looks: dict[str, str]
    tags: dict[str, str]
    dataset: Mapping[str, Any] | None
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    model: Path | None = None


def describe(root: Path, name: str, now: Params | None = None, stage: str = "") -> Run | None:
    """Read what stands under `root`; None if there is nothing yet.

    `now` and `stage`: see `recipe_of`, which also says what InputError means.
    """
    stages = lock.stages(root / paths.LOCK)
    found = [(part, recipe_of(root, stages, part, now, stage)) for part in parts(name)]
    core, recipe = found[0]
    if recipe is None:
        return None
    digest = _fact(root, core, "digest" if name == "data" else "weights_sha256")
    made = [
        _made(root, part, recipe, name)
        for part, recipe in found
        # Reports are made after models: until they are made again they describe the old one.
        if recipe and (part.about == DATA or part.core or _fact(root, part, "model") == digest)
    ]
    in_force = now if now and name != "data" else {}
    looking = {part: used or chosen(in_force, part.sections) for part, used in found[1:]}
    looks = {k: v for part, of in looking.items() for k, v in _params(of, part, name).items()}
    present = provenance.data_digest(root)
    used = made[0].provenance.get("data.digest", present)
    dataset = read_json(root / DATA) if present == used else None
    tags = {"data.source": str(recipe["data"]["source"]), "data.digest": used}
    if name == "data":
        return Run(name, "convlens.data", digest, made, looks, tags, dataset)
    tags |= {"convlens.architecture": name, "precision": _fact(root, core, "precision")}
    rows = read_csv(root / paths.trained(name) / "curves.csv")
    series = {key: [(int(row["epoch"]), float(row[key])) for row in rows] for key in _SERIES}
    model = root / paths.trained(name) / paths.NET
    return Run(name, "convlens.model", digest, made, looks, tags, dataset, series, model)


def _made(root: Path, part: Part, recipe: Params, name: str) -> Made:
    about = root / part.about
    of = provenance.digest(about, chosen(recipe, part.sections))
    note = provenance.read(root, root / part.note, of)
    files = {
        f"{part.name}/{path.relative_to(root / pattern.partition('/*')[0]).as_posix()}": path
        for pattern in part.files
        for path in sorted(root.glob(pattern))
        if path.suffix in (".png", ".csv", ".json")
    }
    if (changes := provenance.diff(root, of)).exists():
        files[f"{part.name}/uncommitted.diff"] = changes
    mark = note.get("made", UNKNOWN)
    when = provenance.milliseconds(mark) if note else about.stat().st_mtime_ns // 1_000_000
    metrics = _numbers(root, part) | note.get("usage", {})
    params = _params(recipe, part, name)
    return Made(part, mark, when, note.get("tags", {}), params, metrics, files)


def _params(recipe: Params, part: Part, name: str) -> dict[str, str]:
    """Return the parameters of `name` that made a part, under names that MLflow admits."""
    return {
        admitted(key): masked(str(value))
        for key, value in flat(recipe)
        if (part.core or not key.startswith("runtime."))
        and (key.rpartition(".")[0] not in BY_NET or name in ("data", key.rpartition(".")[2]))
    }


def admitted(name: str) -> str:
    """Return a name as MLflow admits it: `vgg16+efficientnet-lite0` has a sign too many."""
    return re.sub(r"[^\w./ -]", "-", name)


def _numbers(root: Path, part: Part) -> dict[str, float]:
    found = read_json(root / part.about)
    label = {"evaluation": "test_", "explain": "explain_"}.get(part.name, "")
    if not label:
        # No column is called like a class: runs with different classes stand in one table.
        counts = found.get("counts", {})
        images = {split: sum(of.values()) for split, of in counts.items()}
        classes = len(next(iter(counts.values()), ())) or None
        found = {"parameters": found.get("parameters"), "images": images, "classes": classes}
    return {
        label + key.replace(".", "_"): float(value)
        for key, value in flat({} if part.name == "imagenet" else found)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _fact(root: Path, part: Part, key: str) -> str:
    found = read_json(root / part.about)
    if not isinstance(found, dict) or key not in found:
        raise InputError(root / part.about, expected=key, found="no such key", fix="`make repro`")
    return str(found[key])
