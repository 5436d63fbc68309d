"""convlens explain: what a model sees in the user's own photos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click

from convlens import params, paths
from convlens.cli_many import find, finish, on_engine, refuse_without, runtime
from convlens.data.names import printable
from convlens.errors import InputError

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier
    from convlens.gallery.explanation import Photo
    from convlens.gallery.many_photos import Pictures
    from convlens.gallery.own_photos import Explainer, Seen

METHODS = get_args(params.ExplainParams.model_fields["method"].annotation)
NAMED = ("both", "imagenet", "imagenet-vgg16", "ready")
TUTORIALS = ("convnet", "vgg16")
RANGES = ("0..1", "-1..1", "0..255", "caffe", "imagenet")


@click.command()
@click.argument("photos", nargs=-1)
@click.option(
    "--model", metavar="FILE|NET|" + "|".join(NAMED),
    help="a .keras or .h5 file, or a net's name  [default: the trained vgg16 if there is, else "
    "ready]",
)  # fmt: skip
@click.option(
    "--classes", metavar="FILE|imagenet", help="names of the file's classes, one a line, in order"
)
@click.option(
    "--range", "scale", type=click.Choice(RANGES),
    help="what the file's model takes photos in  [default: 0..255]",
)  # fmt: skip
@click.option(
    "--class", "label", help="explain this class, by name or number  [default: the first]"
)
@click.option("--out", default="explained", show_default=True, help="folder for the pictures")
@click.option("--layer", help="whose maps the heatmap weighs  [default: as in params.yaml]")
@click.option(
    "--method", type=click.Choice(METHODS), help="[default: as in params.yaml, else grad-cam]"
)
@click.option("--raw", is_flag=True, help="also write the numbers behind the heatmap, arrays.npz")
@click.option("--channels", is_flag=True, help="also draw every channel of every layer (slow)")
@click.option(
    "--models", type=click.Path(path_type=Path), default=lambda: paths.beside(paths.TRAINED),
    show_default="models",
    help="folder of the trained models",
)  # fmt: skip
@on_engine("who writes the pictures and the table explained.parquet of many photos")
def explain(
    photos: tuple[str, ...],
    model: str | None,
    classes: str | None,
    scale: str | None,
    label: str | None,
    out: str,
    layer: str | None,
    method: Any,
    raw: bool,
    channels: bool,
    models: Path,
    **engine: Any,
) -> None:
    """Show what a model sees in each photo, and where it looks.

    PHOTOS are photos or folders of photos; without any it is Chelsea, a cat. For each photo
    OUT/NAME/MODEL gets summary.png (one page), heatmap.png and activations.png. The model
    `ready` needs no training: its head ships with ConvLens, and VGG16's base (58 MB) is fetched
    once; so are the weights of `imagenet`, EfficientNet-Lite0 with its 1000 classes (17 MB), and
    of `imagenet-vgg16` (528 MB). Files that can't be read are named on stderr; the exit code is
    then 1.

    With --engine, PHOTOS and OUT may be addresses like s3://bucket/folder; OUT/explained.parquet
    then says of each photo its path, its folder, probability_CLASS of each class, and the reason
    if it can't be read. A run that was stopped goes on where it was.
    """
    from convlens.runtime import configure, quiet_tensorflow

    name = model or ("vgg16" if (models / "vgg16" / paths.NET).is_file() else "ready")
    settings = paths.beside(paths.PARAMS)
    known = params.load(settings) if settings.is_file() else None
    nets_here = _nets(known, models)
    named = {*NAMED, *nets_here}
    if name in named and (classes or scale):
        raise InputError(
            f"model {name}", expected="--classes and --range with a model file",
            found="one of them with a model that knows both", fix="leave them out",
        )  # fmt: skip
    if engine["engine"]:
        if not photos or name == "both":
            raise InputError(
                "--engine", expected="photos, and one model",
                found="both models" if photos else "no photo", fix="name them",
            )  # fmt: skip
        configure(runtime(**engine))
    else:
        refuse_without("--engine", [*photos, out], None, "add --engine local, or ray")
        quiet_tensorflow()
    if name in named:
        wanted = nets_here[:2] if name == "both" else (name,)
        nets = {n: _load(n, models, known) for n in wanted}
    else:
        nets = {Path(name).stem: _foreign(Path(name), classes, scale, sorted(named))}
    from convlens.gallery.explained import class_index
    from convlens.gallery.own_photos import Explainer, read, write_both

    usual = known.explain if known else None
    colormap = usual.colormap if usual else "viridis"
    method = method or (usual.method if usual else "grad-cam")
    layers: dict[Any, str | None] = usual.layer if usual else {}
    explainers = {  # refuses an unknown layer or class before anything is written
        name: Explainer(
            net, layer or layers.get(name), method, colormap,
            None if label is None else class_index(net, label),
        )
        for name, net in nets.items()
    }  # fmt: skip
    if engine["engine"]:
        from convlens.gallery.many_photos import Pictures

        asked = [name, label, layers, layer, method, colormap, scale]
        _many(photos, explainers[next(iter(explainers))], out, Pictures(channels, raw), asked,
              runtime(**engine))  # fmt: skip
    trusted = set(named)  # our own models are fed as they were trained

    def look(path: Path, folder: Path, number: int) -> str:
        """Write the pictures of one photo; return why it can't be read, if so."""
        seen: dict[str, Seen] = {}
        for name, explainer in explainers.items():
            photo = read(path, explainer.classifier, number)
            if isinstance(photo, str):
                return photo
            if name not in trusted:
                trusted.add(name)
                _warn(explainer, photo, scale)
            seen[name] = explainer.see(photo)
            explainer.write(seen[name], folder / name, every_channel=channels, arrays=raw)
            said = seen[name].looks[0].caption
            click.echo(f"{printable(path.name)}: {name} says {said}; see {folder / name}")
        if len(seen) == 2:
            write_both(seen, folder / "both.png", colormap)
        return ""

    bad = 0
    with as_file(files("convlens") / "assets/chelsea.png") as chelsea:
        for number, (path, folder) in enumerate(
            _places([*map(Path, photos)] or [chelsea], Path(out)), 1
        ):
            if reason := look(path, folder, number):
                click.echo(f"{printable(path)}: {reason}", err=True)
                bad += 1
    sys.exit(1 if bad else 0)


def _many(
    photos: Sequence[str], explainer: Explainer, out: str, pictures: Pictures, asked: Sequence[Any],
    how: params.RuntimeParams,
) -> NoReturn:  # fmt: skip
    from convlens import engines
    from convlens.gallery import many_photos
    from convlens.models import keras_file
    from convlens.progress import console

    found = find(photos)
    net = explainer.classifier.made_of[0]
    key = [keras_file.weights_digest(net), net.to_json(), explainer.classifier.classes, *asked]
    made = many_photos.explain(
        engines.of(how), found, explainer, out, pictures, [*key, how.threads], console
    )
    finish(made, out)


def _places(paths: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Return each photo with a folder of its own, even if several have one name."""
    from convlens.evaluation import photos
    from convlens.gallery.own_photos import unique

    found = photos.find(paths)
    for note in found.notes:
        click.echo(note, err=True)
    stems = unique(printable(path.stem) for path in found.paths)
    return [(path, out / stem) for path, stem in zip(found.paths, stems, strict=True)]


def _nets(known: params.Params | None, models: Path) -> tuple[str, ...]:
    """Return the nets that params.yaml names, those trained here, and the tutorials' two."""
    trained = sorted(path.parent.name for path in models.glob("*/model.keras"))
    return tuple(dict.fromkeys([*(known.nets if known else ()), *TUTORIALS, *trained]))


def _load(name: str, models: Path, known: params.Params | None) -> Classifier:
    from convlens.explain.classifier import Classifier
    from convlens.models import efficientnet_lite0, heads, keras_file, ready, vgg16_imagenet
    from convlens.progress import console

    if name == "ready":
        base = paths.beside(paths.BASE_WEIGHTS)
        if not any(path.is_file() for path in (base, ready.user_copy())):
            click.echo("getting VGG16's base (58 MB), once", err=True)
        net = ready.build(ready.base_weights(base), ready.shipped_head())
        return Classifier(net, ready.CLASSES)
    if name == "imagenet":
        if not efficientnet_lite0.user_copy().is_file():
            click.echo("getting EfficientNet-Lite0's weights (17 MB), once", err=True)
        return Classifier(efficientnet_lite0.load(), "imagenet")
    if name == "imagenet-vgg16":
        given = known.imagenet.weights if known else None
        return Classifier(vgg16_imagenet.load(vgg16_imagenet.find(given, console)), "imagenet")
    net = keras_file.load(models / name / paths.NET)
    return Classifier(net, heads.load_names(models / name, net))


def _foreign(
    path: Path, classes: str | None, scale: str | None, named: Sequence[str]
) -> Classifier:
    """Load a model file that isn't the pipeline's."""
    from convlens.explain.classifier import Classifier
    from convlens.models import keras_file

    if not path.suffix and not path.exists():
        raise InputError(
            f"--model {path}", expected=f"a .keras or .h5 file, or one of {', '.join(named)}",
            found="neither", fix="name one of them",
        )  # fmt: skip
    if path.is_file() and keras_file.is_hdf5(path):
        click.echo(f"{path}: Keras' older format, HDF5, is read as it is", err=True)
    return Classifier(keras_file.load(path), classes, scale)


def _warn(explainer: Explainer, photo: Photo, scale: str | None) -> None:
    if why := explainer.doubt(photo):
        others = ", ".join(name for name in RANGES if name != (scale or "0..255"))
        click.echo(
            f"warning: {explainer.classifier.name} {why}; it gets photos in {scale or '0..255'}. "
            f"Was it trained on another --range ({others})?", err=True,
        )  # fmt: skip
