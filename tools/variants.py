"""What a study trains: a recipe's nets, the variants of studies/NAME.yaml, or a search's trials."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens import params, runtime
from convlens.errors import InputError
from convlens.params import ranges
from convlens.training.checkpoint import TRAINS, code_digest

STUDIES = Path("studies")
LISTED, SEARCHED = {"model", "variants"}, {"model", "ranges", "trials", "grace"}


@dataclass(frozen=True)
class Variant:
    """One model with one set of parameters; `name` is its row in the result."""

    name: str
    model: str
    params: params.Params

    @property
    def seed(self) -> int:
        """The training's seed."""
        return self.params.of(self.model).seed

    @property
    def epochs(self) -> int:
        """Epochs of all phases."""
        return self.params.of(self.model).all_epochs

    def with_seed(self, seed: int) -> Variant:
        """Return the same with another seed of the training; data and features stay."""
        changes = {f"{self.model}.seed": seed}
        return Variant(self.name, self.model, params.changed(self.params, changes, "seed"))

    def key(self, data: Any, machine: runtime.Runtime) -> str:
        """Return what tells whether a run in the result file is this one."""
        features = {"features"} if self.model != params.CONVNET else set()
        settings = self.params.model_dump(mode="json", include={self.model, "evaluate", *features})
        photos = [data["digest"], data["image_size"], code_digest((*TRAINS, "evaluation"))]
        return digest(self.name, self.model, settings, photos, machine.record())


@dataclass(frozen=True)
class Study:
    """The variants of a study; of a search its trials, and the epochs that each has for certain."""

    variants: list[Variant]
    grace: int = 0
    drawn: tuple[dict[str, Any], ...] = ()


def digest(*known: Any) -> str:
    """Return the sha256 of plain values."""
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def read(name: str, given: params.Params, count: int | None) -> Study:
    """Return study `name` of studies/, or the nets of `given` themselves if there is no such file.

    `count` is of seeds, by default 3, or of a search's trials, by default what the file says.

    Raises
    ------
    InputError
        The file, one of its keys or one of its ranges is none.
    """
    path = STUDIES / f"{name}.yaml"
    seeds = range(1, (count or 3) + 1)
    if not path.exists():
        return Study([Variant(net, net, given).with_seed(s) for net in given.nets for s in seeds])
    study = params.tree(path)
    keys = set(study) - {"changes"} if isinstance(study, dict) else set()
    if keys not in (LISTED, SEARCHED) or not all(
        isinstance(study.get(part) or {}, dict) for part in ("changes", "variants")
    ):
        raise InputError(
            path, expected="model, variants and perhaps changes; for a search trials, grace and "
            "ranges instead of variants",
            found=", ".join(study) if isinstance(study, dict) else "no keys", fix="see studies/",
        )  # fmt: skip
    every = study.get("changes") or {}
    listed = study.get("variants") or {}
    for changes in (every, *listed.values()):
        for key, _ in params.flat(changes or {}):
            _check_section(path, key, (*given.nets, "features", "evaluate"))
    base = params.changed(given, every, path)
    if "ranges" in study:
        return _search(path, study, base, count)
    return Study([
        Variant(variant, study["model"], params.changed(base, changes or {}, path)).with_seed(seed)
        for variant, changes in listed.items()
        for seed in seeds
    ])  # fmt: skip


def _search(path: Path, study: Mapping[str, Any], base: params.Params, count: int | None) -> Study:
    model, trials, grace = study["model"], count or study["trials"], study["grace"]
    for key, number in (("trials", trials), ("grace", grace)):
        if type(number) is not int or number < 1:
            raise InputError(
                f"{path}: {key}", expected="a whole number above 0", found=repr(number),
                fix="mend it",
            )  # fmt: skip
    found = ranges.read(study["ranges"], f"{path}: ranges")
    for key, each in found.items():
        _check_section(path, key, (model,))
        if key.endswith("epochs"):
            raise InputError(
                f"{path}: {key}", expected="the same epochs for all trials", found="a range",
                fix="set it under `changes`: which trial gets how many of them, ASHA decides",
            )  # fmt: skip
        for end in each.ends:  # so that no draw is needed to find out
            params.changed(base, {key: end}, path)
    drawn = tuple(ranges.draw(found, base.of(model).seed, k) for k in range(trials))
    made = [
        Variant(f"trial {k}", model, params.changed(base, values, f"{path}, trial {k}"))
        for k, values in enumerate(drawn)
    ]
    return Study(made, grace, drawn)


def _check_section(path: Path, key: str, sections: tuple[str, ...]) -> None:
    if key.split(".")[0] not in sections:  # what comes before is the same for all
        raise InputError(
            f"{path}: {key}", expected=f"a key of {', '.join(sections)}", found="another",
            fix="change it in params.yaml and repeat `dvc repro prepare`",
        )  # fmt: skip
