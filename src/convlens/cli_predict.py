"""The command `convlens predict`: which class a model sees in each of a user's photos."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from convlens import paths
from convlens.cli_many import find, finish, on_engine, refuse_without, runtime
from convlens.data.names import printable
from convlens.paths import NET

if TYPE_CHECKING:
    from convlens.evaluation.photos import Prediction
    from convlens.params import RuntimeParams

TOP = 3
Rows = list[dict[str, Any]]


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--model", metavar="NET", default="vgg16", show_default=True, help="a trained net")
@click.option(
    "--format", "layout", type=click.Choice(["table", "csv", "json"]), default="table",
    show_default=True, help="how to print the answers",
)  # fmt: skip
@click.option(
    "--models", type=click.Path(path_type=Path), default=lambda: paths.beside(paths.TRAINED),
    show_default="models",
    help="folder of the trained models",
)  # fmt: skip
@click.option("--top", is_flag=True, help="print the three most probable classes of each photo")
@click.option("--out", metavar="FILE.parquet", help="write a table instead of printing")
@on_engine("who writes the table")
def predict(
    paths: tuple[str, ...],
    model: str,
    layout: str,
    models: Path,
    top: bool,
    out: str | None,
    **engine: Any,
) -> None:
    """Say of each photo which class it shows, and how probably.

    PATHS are photos or folders of photos. Files that can't be read are named on stderr; the
    others are scored all the same, and the exit code is then 1.

    With --out the answers become a Parquet table instead: path, probability_CLASS of each class,
    and the reason of those that can't be read. PATHS may then be addresses like s3://bucket/folder
    or gs://bucket/folder, and so may the table. A run that was stopped goes on where it was.
    """
    if out:
        _table(paths, models / model / NET, out, runtime(**engine))
    refuse_without("--out", paths, engine["engine"], "add e.g. --out scores.parquet")
    _console([Path(path) for path in paths], model, layout, models, top)


def _table(paths: Sequence[str], model: Path, out: str, how: RuntimeParams) -> NoReturn:
    from convlens import engines
    from convlens.evaluation import many
    from convlens.progress import console

    found = find(paths)
    finish(many.score(engines.of(how), found, model, out, how.threads, console), out)


def _console(paths: Sequence[Path], model: str, layout: str, models: Path, top: bool) -> None:
    from convlens.evaluation import photos
    from convlens.models import heads, keras_file
    from convlens.progress import console
    from convlens.runtime import quiet_tensorflow

    found = photos.find(paths)
    for note in found.notes:
        click.echo(note, err=True)
    if not found.paths:
        sys.exit(1)
    quiet_tensorflow()
    net = keras_file.load(models / model / NET)
    classes = heads.load_names(models / model, net)
    answers = list(photos.predict(net, classes, found.paths, console))
    good = [a for a in answers if not a.reason]
    _print(_ranked(good) if top else _rows(good, classes), layout)
    for bad in (a for a in answers if a.reason):
        click.echo(f"{printable(bad.path)}: {bad.reason}", err=True)
    sys.exit(1 if any(a.reason for a in answers) else 0)


def _rows(answers: Sequence[Prediction], classes: Sequence[str]) -> Rows:
    """Return a row a photo; of two classes the second one's probability says both."""
    shown = classes[1:] if len(classes) == 2 else classes
    return [
        {"path": printable(a.path)}
        | {f"probability_{name}": round(a.probabilities[name], 6) for name in shown}
        | {"predicted": a.predicted}
        for a in answers
    ]


def _ranked(answers: Sequence[Prediction]) -> Rows:
    """Return a row for each of the TOP most probable classes of each photo."""
    return [
        {"path": printable(a.path), "rank": rank, "class": name, "probability": round(chance, 6)}
        for a in answers
        for rank, (name, chance) in enumerate(
            sorted(a.probabilities.items(), key=lambda item: -item[1])[:TOP], 1
        )
    ]


def _print(rows: Rows, layout: str) -> None:
    columns = list(rows[0]) if rows else ["path", "predicted"]
    if layout == "json":
        click.echo(json.dumps(rows, indent=2))
    elif layout == "csv":
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        head = {column: column.removeprefix("probability_") for column in columns}
        cells = [head, *({key: _cell(value) for key, value in row.items()} for row in rows)]
        width = {key: max(len(row[key]) for row in cells) for key in columns}
        for row in cells:
            aligned = (
                row[key].ljust(width[key]) if key in _TEXT else row[key].rjust(width[key])
                for key in columns
            )
            click.echo("  ".join(aligned).rstrip())


_TEXT = ("path", "predicted", "class")


def _cell(value: Any) -> str:
    return f"{value:.1%}" if isinstance(value, float) else str(value)
