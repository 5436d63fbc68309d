"""What the files say about a model or the data, as one plain value that knows no MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens import lock, provenance
from convlens.errors import InputError, masked
from convlens.files import read_csv, read_json
from convlens.params import MODELS, flat

Params = Mapping[str, Any]  # sections of params.yaml
UNKNOWN = "-"  # sorts before every date
_DATA = "data/prepared/data.json"
_SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
_OF_LOOKS = ("git.commit", "git.dirty", "cpu", "threads")


@dataclass(frozen=True)
class Part:
    """What one stage adds to a run; file `about` says of what it is, `note` who made it."""

    name: str
    stage: str
    sections: tuple[str, ...]
    about: str
    note: str
    files: tuple[str, ...]

    @property
    def core(self) -> bool:
        """Whether the run is about this part; the others look at it."""
        return self.name in ("data", "training")


@dataclass(frozen=True)
class Made:
    """A part that stands there; `provenance` is empty if nobody noted it; `when` is in ms."""

    part: Part
    provenance: Mapping[str, Any]
    when: int
    params: dict[str, str]
    metrics: dict[str, float]
    files: dict[str, Path]

    @property
    def mark(self) -> str:
        """What the run says once it holds this part: when it was made; the later sorts last."""
        return str(self.provenance.get("made", UNKNOWN))

    @property
    def tags(self) -> dict[str, str]:
        """Who made it; for an evaluation or explanation the essentials, under its name."""
        found: dict[str, str] = self.provenance.get("tags", {})
        if self.part.core:
            return found
        return {f"{self.part.name}.{key}": found[key] for key in _OF_LOOKS if key in found}


@dataclass(frozen=True)
class Run:
    """One model, or one prepared data, with one evaluation and one explanation of it.

    `parts` begin with the core; `series` holds (epoch, value); `dataset` is data.json, if it
    stands there.
    """

    name: str
    digest: str
    parts: list[Made]
    tags: dict[str, str]
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    model: Path | None = None
    dataset: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """The tag by which the run is found, whoever made it."""
        return "convlens.data" if self.name == "data" else "convlens.model"

    @property
    def experiment(self) -> str:
        """The name of the latest experiment that made a part of it, if any."""
        made = sorted(self.parts, key=lambda made: made.mark, reverse=True)
        names = (one.provenance.get("tags", {}).get("dvc.exp", "") for one in made)
        return next(filter(None, names), "")

    @property
    def looks(self) -> dict[str, str]:
        """The parameters by which runs of one model differ: of its evaluation and explanation."""
        return {key: value for made in self.parts[1:] for key, value in made.params.items()}


def parts(name: str) -> list[Part]:
    """Return what can belong to a run of `name`, the core first."""
    if name == "data":
        return [
            Part("data", "prepare", ("data",), _DATA, "data/provenance.json",
                 ("data/prepared/*", "reports/data/**/*")),
            Part("imagenet", "explain_imagenet", ("imagenet", "explain", "runtime"), _DATA,
                 "reports/provenance.json", ("reports/imagenet/*",)),
        ]  # fmt: skip
    own = ("vgg16", "features", "runtime") if name == "vgg16" else (name, "runtime")
    return [
        Part(part, stage, sections, f"{folder}/metrics.json", f"{folder}/provenance.json",
             (f"{folder}/**/*",))
        for part, stage, sections, folder in (
            ("training", f"train_{name}", own, f"models/{name}"),
            ("evaluation", f"evaluate@{name}", ("evaluate", "runtime"),
             f"reports/{name}/evaluation"),
            ("explain", f"explain@{name}", ("explain", "runtime"), f"reports/{name}/explain"),
        )
    ]  # fmt: skip


def describe(root: Path, name: str, now: Params | None = None, stage: str = "") -> Run | None:
    """Read what stands under `root`; None if there is nothing yet.

    Without `now`, parameters are those of dvc.lock, and every file must be the one that it names:
    else InputError. Within a pipeline dvc.lock is a stage behind: `now` are the parameters in
    force, `stage` has just ended, and parts made with others are left out, to be made again.
    """
    stages = lock.stages(root / "dvc.lock")
    found = [(part, _recipe(root, stages, part, now, stage)) for part in parts(name)]
    core, recipe = found[0]
    if recipe is None:
        return None
    digest = _fact(root, core, "digest" if name == "data" else "weights_sha256")
    made = [
        _made(root, part, recipe, name)
        for part, recipe in found
        if recipe and (part.core or _looks_at(root, part, recipe, digest))
    ]
    present = provenance.data_digest(root)
    used = str(made[0].provenance.get("data") or present)
    dataset = read_json(root / _DATA) if present == used else None
    tags = {"data.source": str(recipe["data"]["source"]), "data.digest": used}
    if name == "data":
        return Run(name, digest, made, tags, dataset=dataset)
    tags |= {"convlens.architecture": name, "precision": _fact(root, core, "precision")}
    rows = read_csv(root / f"models/{name}/curves.csv")
    series = {key: [(int(row["epoch"]), float(row[key])) for row in rows] for key in _SERIES}
    return Run(name, digest, made, tags, series, root / f"models/{name}/model.keras", dataset)


def _recipe(root: Path, stages: Any, part: Part, now: Params | None, stage: str) -> Params | None:
    """Return the sections of params.yaml that made a part; None if it isn't to be described."""
    here = (root / part.about).exists() and all(any(root.glob(files)) for files in part.files)
    locked = part.stage in stages
    if not here and (now or not (locked and part.core)):
        return None
    astray = next(lock.astray(root, stages[part.stage]), None) if locked else None
    names = ("prepare", part.stage) if part.core else (part.stage,)
    if now is None:
        if astray or not locked:
            raise astray or InputError(
                "dvc.lock", expected=f"stage {part.stage}",
                found=f"does not say how {part.about} was made", fix="`make repro`",
            )  # fmt: skip
        return lock.params(stages, names)
    sections = (*part.sections, "data") if part.core else part.sections
    in_force = {key: now[key] for key in sections}
    if part.stage == stage or not locked:
        return in_force
    known = None if astray else lock.params(stages, names)
    return (known or in_force) if part.core else (known if known == in_force else None)


def _looks_at(root: Path, part: Part, recipe: Params, digest: str) -> bool:
    # Reports are made later than models: until they are made again they describe the old one.
    if part.name == "imagenet":
        return bool(recipe["imagenet"]["enabled"])
    return _fact(root, part, "model") == digest


def _made(root: Path, part: Part, recipe: Params, name: str) -> Made:
    of = provenance.digest(root / part.about, {key: recipe[key] for key in part.sections})
    note = provenance.read(root, root / part.note, of)
    files = {
        f"{part.name}/{path.relative_to(root / pattern.partition('/*')[0]).as_posix()}": path
        for pattern in part.files
        for path in sorted(root.glob(pattern))
        if path.suffix in (".png", ".csv", ".json")
    }
    if (changes := provenance.diff(root, of)).exists():
        files[f"{part.name}/uncommitted.diff"] = changes
    others = set(MODELS) - {name} if name in MODELS else set()
    params = {
        key: masked(str(value))
        for key, value in flat(recipe)
        if key.rsplit(".", 1)[-1] not in others and (part.core or not key.startswith("runtime."))
    }
    metrics = _numbers(root, part) | note.get("usage", {})
    modified = (root / part.about).stat().st_mtime_ns // 1_000_000
    when = provenance.milliseconds(note["made"]) if note else modified
    return Made(part, note, when, params, metrics, files)


def _numbers(root: Path, part: Part) -> dict[str, float]:
    found = read_json(root / part.about)
    label = {"evaluation": "test_", "explain": "explain_"}.get(part.name, "")
    if not label:
        found = {"parameters": found.get("parameters"), "images": found.get("counts", {})}
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
