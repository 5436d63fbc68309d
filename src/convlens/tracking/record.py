"""What the files say about a model or the data, as one plain value that knows no MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlens.errors import masked
from convlens.files import read_csv, read_json
from convlens.params import Params, flat
from convlens.tracking.caption import summary, title
from convlens.tracking.origin import origin

_MILLISECONDS = 1000
_SECTIONS = {
    "data": ("data",),
    "convnet": ("data", "runtime", "convnet"),
    "vgg16": ("data", "runtime", "features", "vgg16"),
}
_SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
_BEFORE = {"data": ("fetch",), "convnet": (), "vgg16": ("extract_features",)}
_STAGES = {
    "data": ("prepare",),
    "convnet": ("train_convnet", "evaluate@convnet", "explain@convnet"),
    "vgg16": ("train_vgg16", "evaluate@vgg16", "explain@vgg16"),
}


@dataclass(frozen=True)
class Dataset:
    """The data a model was trained on."""

    name: str
    digest: str
    profile: Mapping[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """One run: everything that the store should hold about one model or one prepared data.

    `series` holds (epoch, seconds since the start, value); `images` PNGs by the key under which
    runs are compared; `files` by their path inside the run; times are milliseconds since 1970.
    """

    kind: str
    digest: str
    title: str
    note: str
    started: int
    ended: int
    params: dict[str, str]
    tags: dict[str, str]
    series: Mapping[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    images: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    model: Path | None = None
    dataset: Dataset | None = None

    @property
    def key(self) -> str:
        """The tag by which the run is found, whoever made it."""
        return "convlens.data" if self.kind == "data" else "convlens.model"


def describe(root: Path, place: Path, name: str, params: Params) -> RunRecord | None:
    """Read the files of `name` under `root`; None if its stage has not run yet."""
    if name in ("data", "imagenet"):
        return _describe_data(root, place, params, with_imagenet=name == "imagenet")
    return _describe_model(root, place, name, params)


def _describe_data(
    root: Path, place: Path, params: Params, *, with_imagenet: bool
) -> RunRecord | None:
    path = root / "data" / "prepared" / "data.json"
    if not path.exists():
        return None
    data = read_json(path)
    digest = str(data["digest"])
    note = origin(root, place, digest, params, _modified(path))
    reports = {"data": root / "reports" / "data"}
    if with_imagenet:
        reports["imagenet"] = root / "reports" / "imagenet"
    images = sum(sum(split.values()) for split in data["counts"].values())
    manifest = {p.name: p for p in sorted(path.parent.glob("*.csv"))} | {path.name: path}
    sections = {key: note["params"][key] for key in _SECTIONS["data"]}
    return RunRecord(
        kind="data",
        digest=digest,
        title=f"data · {data['source']} · {images} images",
        note=f"Prepared data, source `{data['source']}`, {images} images.\n\n"
        "Repeat: `dvc repro prepare`",
        started=note["ended"],
        ended=note["ended"],
        params={key: masked(str(value)) for key, value in flat(sections)},
        tags=note["tags"] | {"convlens.stage": "prepare", "data.source": data["source"]},
        metrics=_numbers({"images": data["counts"]}) | _usage(root, "data", note["ended"]),
        images=_pictures(reports),
        files=manifest | _documents(reports) | _diff(place, digest),
        dataset=_dataset(root, digest),
    )


def _describe_model(root: Path, place: Path, name: str, params: Params) -> RunRecord | None:
    folder = root / "models" / name
    if not (folder / "metrics.json").exists():
        return None
    trained = read_json(folder / "metrics.json")
    digest = str(trained["weights_sha256"])
    note = origin(root, place, digest, params, _modified(folder / "metrics.json"))
    reports = {
        part: root / "reports" / name / part
        for part in ("evaluation", "explain")
        if _about(root / "reports" / name / part / "metrics.json") == digest
    }
    evaluation = _metrics(reports, "evaluation")
    recipe = note["params"]["data"]["source"]
    sections = {key: note["params"][key] for key in _SECTIONS[name]}
    series, seconds = _series(folder)
    tags = {
        "convlens.stage": " ".join(["train", *reports]),
        "data.source": recipe,
        "convlens.architecture": name,
        "data.digest": note["data"],
        "precision": trained["precision"],
    }
    return RunRecord(
        kind=name,
        digest=digest,
        title=title(name, note, evaluation),
        note=summary(name, note, evaluation),
        started=note["ended"] - round(seconds * _MILLISECONDS),
        ended=note["ended"],
        params={key: masked(str(value)) for key, value in flat(sections)},
        tags=note["tags"] | {key: value for key, value in tags.items() if value},
        series=series,
        metrics={"parameters": float(trained["parameters"])}
        | _numbers({"test": evaluation, "explain": _metrics(reports, "explain")})
        | _usage(root, name, note["ended"]),
        images=_pictures(reports) | _curves(root, name, digest),
        files=_documents(reports) | _curve_tables(folder) | _diff(place, digest),
        model=folder / "model.keras",
        dataset=_dataset(root, note["data"]),
    )


def _numbers(tree: Mapping[str, Any]) -> dict[str, float]:
    return {
        key.replace(".", "_"): float(value)
        for key, value in flat(tree)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _metrics(reports: Mapping[str, Path], part: str) -> dict[str, Any]:
    return dict(read_json(reports[part] / "metrics.json")) if part in reports else {}


def _about(path: Path) -> str:
    # Reports are made later than models: until they are made again they describe the old one.
    return str(read_json(path).get("model", "")) if path.exists() else ""


def _series(folder: Path) -> tuple[dict[str, list[tuple[int, float, float]]], float]:
    path = folder / "history.csv"
    rows = read_csv(path if path.exists() else folder / "curves.csv")
    series: dict[str, list[tuple[int, float, float]]] = {key: [] for key in _SERIES}
    seconds = 0.0
    for row in rows:
        seconds += float(row.get("seconds", 0))
        for key, points in series.items():
            points.append((int(row["epoch"]), seconds, float(row[key])))
    return series, seconds


def _usage(root: Path, name: str, ended: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for stage in _BEFORE[name] + _STAGES[name]:
        path = root / ".convlens" / "usage" / f"{stage}.json"
        # An older note of a later stage is about the model before this one.
        if path.exists() and (stage in _BEFORE[name] or _modified(path) >= ended):
            label = stage.replace("@", "_").removesuffix(f"_{name}")
            found |= {f"{key}_{label}": value for key, value in flat(read_json(path))}
    return found


def _pictures(reports: Mapping[str, Path]) -> dict[str, Path]:
    return {
        f"{part}/{path.relative_to(folder).with_suffix('').as_posix()}": path
        for part, folder in reports.items()
        for path in sorted(folder.rglob("*.png"))
    }


def _curves(root: Path, name: str, digest: str) -> dict[str, Path]:
    path, summary_file = root / "reports" / name / "curves.png", root / "reports" / "summary.json"
    if not (path.exists() and summary_file.exists()):
        return {}
    drawn_of = read_json(summary_file)["models"][name]["weights_sha256"]
    return {"curves": path} if drawn_of == digest else {}


def _documents(reports: Mapping[str, Path]) -> dict[str, Path]:
    return {
        f"{part}/{path.relative_to(folder).as_posix()}": path
        for part, folder in reports.items()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".png", ".csv", ".json")
    }


def _curve_tables(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.glob("*.csv"))}


def _diff(place: Path, digest: str) -> dict[str, Path]:
    path = place / ".convlens" / "origins" / f"{digest}.diff"
    return {"uncommitted.diff": path} if path.exists() else {}


def _dataset(root: Path, digest: str) -> Dataset | None:
    path = root / "data" / "prepared" / "data.json"
    if not path.exists():
        return None
    data = read_json(path)
    if data["digest"] != digest:
        return None
    profile = {key: data[key] for key in ("counts", "image_size", "split_rule") if key in data}
    return Dataset(str(data["source"]), digest, profile)


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000
