"""Options and words of commands over many photos, here or in object stores, on either engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, get_args

import click

from convlens import params
from convlens.data.names import printable
from convlens.engines import Name
from convlens.errors import InputError


def many(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --out, --engine, --workers and --threads to a command."""
    for option in reversed((
        click.option("--out", metavar="FILE.parquet", help="write a table instead of printing"),
        click.option("--engine", type=click.Choice(get_args(Name)), default="local",
                     show_default=True, help="this process, or workers on a Ray cluster"),
        click.option("--workers", type=click.IntRange(min=1),
                     help="of engine ray  [default: one for every CPU]"),
        click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True,
                     help="of each worker, and of the local engine; they decide the last bits"),
    )):  # fmt: skip
        command = option(command)
    return command


def in_a_table(paths: Sequence[str], engine: str) -> None:
    """Raise InputError if what is asked for can only be had as a table."""
    from convlens.data.stores import remote

    far = [path for path in paths if remote(path)]
    if engine == "ray" or far:
        raise InputError(
            far[0] if far else "--engine ray", expected="a table to write the answers to",
            found="no --out", fix="add e.g. --out scores.parquet",
        )  # fmt: skip


def table(
    paths: Sequence[str],
    model: Path,
    *,
    out: str,
    engine: Name,
    workers: int | None,
    threads: int,
) -> NoReturn:
    """Score photos into a table, say how it went, and exit."""
    from convlens import engines
    from convlens.evaluation import many as photos
    from convlens.progress import console

    found = photos.find(paths)
    for note in found.notes:
        click.echo(note, err=True)
    if not found.marks:
        sys.exit(1)
    runtime = params.RuntimeParams(
        precision="float32", threads=threads, engine=engine, workers=workers or 0
    )
    made = photos.score(engines.of(runtime), found, model, out, threads, console)
    click.echo(f"{made.rows:,} photos in {printable(out)}")
    if made.unread:
        click.echo(f"{made.unread:,} of them can't be read: see its column reason", err=True)
    sys.exit(1 if made.unread else 0)
