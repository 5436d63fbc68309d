"""What each stage leaves behind that is worth telling of, and which parameters made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens import lock, paths
from convlens.errors import InputError
from convlens.params import CONVNET, flat

DATA = f"{paths.DATA}"
Params = Mapping[str, Any]  # sections of params.yaml


@dataclass(frozen=True)
class Part:
    """What one stage leaves; file `about` says of what it is, `note` who made it."""

    name: str
    stage: str
    sections: tuple[str, ...]
    about: str
    note: str
    files: tuple[str, ...]

    @property
    def before(self) -> tuple[str, ...]:
        """The stages whose parameters made it too: those of the data, those of the features."""
        features = (self.stage.replace("train", "extract_features"),)
        return ("prepare",) * self.core + features * ("features" in self.sections)

    @property
    def core(self) -> bool:
        """Whether it is the model or the data; the other parts look at them."""
        return self.name in ("data", "training")


def parts(name: str) -> list[Part]:
    """Return what there can be of `name`, data or a model, the core first."""
    if name == "data":
        return [
            Part("data", "prepare", ("data",), DATA, "data/provenance.json",
                 ("data/prepared/*", "reports/data/**/*")),
            Part("imagenet", "explain_imagenet", ("imagenet", "explain", "runtime"), DATA,
                 "reports/provenance.json", ("reports/imagenet/*.png",)),
        ]  # fmt: skip
    from_features = () if name == CONVNET else ("features",)
    return [
        Part(part, stage, sections, f"{folder}/{paths.METRICS}", f"{folder}/provenance.json",
             (f"{folder}/**/*",))
        for part, stage, sections, folder in (
            ("training", f"train@{name}",
             (name, *from_features, "runtime.precision", "runtime.threads"), paths.trained(name)),
            ("evaluation", f"evaluate@{name}", ("evaluate", "runtime"), paths.evaluation(name)),
            ("explain", f"explain@{name}", ("explain", "runtime"), paths.explanation(name)),
        )
    ]  # fmt: skip


def chosen(params: Params, keys: Iterable[str]) -> dict[str, Any]:
    """Return the parameters under `keys`, each a section or a part of one: `a` or `a.b`."""
    leaves = dict(flat(params))
    wanted = tuple(keys)
    return lock.nested(
        {k: v for k, v in leaves.items() if any(f"{k}.".startswith(f"{key}.") for key in wanted)}
    )


def recipe_of(root: Path, stages: Any, part: Part, now: Params | None, stage: str) -> Params | None:
    """Return the sections of params.yaml that made `part`; None if it is not there.

    Without `now` they are those of dvc.lock (`stages`), whose files must be here: else InputError.
    Within a pipeline dvc.lock is a stage behind: `now` are the parameters in force and `stage` has
    just ended; a part made with others counts as not there, since it will be made again.
    """
    here = (root / part.about).exists() and all(any(root.glob(files)) for files in part.files)
    locked = part.stage in stages
    if not here and (now or not (locked and part.core)):
        return None
    astray = next(lock.astray(root, stages[part.stage]), None) if locked else None
    names = (*part.before, part.stage)
    if now is None:
        if astray or not locked:
            raise astray or InputError(
                "dvc.lock", expected=f"stage {part.stage}",
                found=f"does not say how {part.about} was made", fix="`make repro`",
            )  # fmt: skip
        return lock.params(stages, names)
    in_force = chosen(now, (*part.sections, *(["data"] if part.core else [])))
    if part.stage == stage or not locked:
        return in_force
    known = None if astray else lock.params(stages, names)
    if part.core:
        return known or in_force
    return known if known and chosen(known, part.sections) == in_force else None
