"""convlens explain: what a model sees in the user's own photos."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, get_args

import click

from convlens import params
from convlens.data.names import printable

METHODS = get_args(params.ExplainParams.model_fields["method"].annotation)
BASE_WEIGHTS = Path("data/weights/vgg16_base.npz")
PARAMS = Path("params.yaml")


@click.command()
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--model", type=click.Choice([*params.MODELS, "both", "imagenet", "ready"]),
    help="[default: the trained vgg16 if there is one, else ready]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("explained"),
    show_default=True, help="folder for the pictures",
)  # fmt: skip
@click.option(
    "--layer", help="whose maps the heatmap weighs  [default: as in params.yaml, else the last]"
)
@click.option("--method", type=click.Choice(METHODS), default="grad-cam", show_default=True)
@click.option("--channels", is_flag=True, help="also draw every channel of every layer (slow)")
@click.option(
    "--models", type=click.Path(path_type=Path), default=Path("models"), show_default=True,
    help="folder of the trained models",
)  # fmt: skip
def explain(
    photos: tuple[Path, ...],
    model: str | None,
    out: Path,
    layer: str | None,
    method: Any,
    channels: bool,
    models: Path,
) -> None:
    """Show what a model sees in each photo, and where it looks.

    PHOTOS are photos or folders of photos; without any it is Chelsea, a cat. For each photo
    OUT/NAME/MODEL gets summary.png (one page), heatmap.png and activations.png. The model
    `ready` needs no training: its head ships with ConvLens, and VGG16's base (58 MB) is fetched
    once. Files that can't be read are named on stderr; the exit code is then 1.
    """
    from convlens.runtime import quiet_tensorflow

    name = model or ("vgg16" if (models / "vgg16/model.keras").is_file() else "ready")
    quiet_tensorflow()
    nets = {n: _load(n, models) for n in (params.MODELS if name == "both" else (name,))}
    from convlens.report.own_photos import Explainer, read, write_both

    usual = params.load(PARAMS).explain if PARAMS.is_file() else None
    colormap = usual.colormap if usual else "viridis"
    layers: dict[Any, str | None] = usual.layer if usual else {}
    explainers = {  # refuses an unknown layer before anything is written
        name: Explainer(net, layer or layers.get(name), method, colormap)
        for name, net in nets.items()
    }

    def look(path: Path, folder: Path, number: int) -> str:
        """Write the pictures of one photo; return why it can't be read, if so."""
        seen = {}
        for name, explainer in explainers.items():
            photo = read(path, explainer.size, number)
            if isinstance(photo, str):
                return photo
            seen[name] = explainer.write(photo, folder / name, every_channel=channels)
            said = f"{name} says {seen[name].look.caption}"
            click.echo(f"{printable(path.name)}: {said}; see {folder / name}")
            if len(seen) == 2:
                write_both(photo, seen, folder / "both.png", colormap)
        return ""

    bad = 0
    with as_file(files("convlens") / "assets/chelsea.png") as chelsea:
        for number, (path, folder) in enumerate(_places(photos or [chelsea], out), 1):
            if reason := look(path, folder, number):
                click.echo(f"{printable(path)}: {reason}", err=True)
                bad += 1
    sys.exit(1 if bad else 0)


def _places(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photo with a folder of its own, even if several have one name."""
    from convlens.evaluation import photos

    found = photos.find(paths)
    for note in found.notes:
        click.echo(note, err=True)
    taken: set[str] = set()
    for path in found.paths:
        stem = printable(path.stem)
        numbered = (f"{stem}_{count}" for count in itertools.count(2))
        name = next(n for n in itertools.chain([stem], numbered) if n not in taken)
        taken.add(name)
        yield path, out / name


def _load(name: str, models: Path) -> Any:
    from convlens.models import keras_file, ready, vgg16_imagenet
    from convlens.progress import console

    if name == "ready":
        if not any(path.is_file() for path in (BASE_WEIGHTS, ready.user_copy())):
            click.echo("getting VGG16's base (58 MB), once", err=True)
        return ready.build(ready.base_weights(BASE_WEIGHTS), ready.shipped_head())
    if name == "imagenet":
        given = params.load(PARAMS).imagenet.weights if PARAMS.is_file() else None
        return vgg16_imagenet.load(vgg16_imagenet.find(given, console))
    return keras_file.load(models / name / "model.keras")
