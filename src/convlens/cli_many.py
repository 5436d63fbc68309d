"""Options and words of commands over many photos, here or in object stores, on either engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click

from convlens import params
from convlens.data.names import printable
from convlens.engines import Name
from convlens.errors import InputError

if TYPE_CHECKING:
    from convlens.data.table import Made
    from convlens.evaluation.many import Many

Command = Callable[..., None]


def on_engine(what: str) -> Callable[[Command], Command]:
    """Add --engine, which asks for `what`, --workers and --threads to a command."""

    def add(command: Command) -> Command:
        for option in reversed((
            click.option("--engine", type=click.Choice(get_args(Name)),
                         help=f"{what}: in this process, or by workers on a Ray cluster"),
            click.option("--workers", type=click.IntRange(min=1),
                         help="of engine ray  [default: one for every CPU]"),
            click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True,
                         help="of each worker, and of engine local; they decide the last bits"),
        )):  # fmt: skip
            command = option(command)
        return command

    return add


def refuse_without(wanted: str, paths: Sequence[str], engine: str | None, fix: str) -> None:
    """Raise InputError if an engine or a store is asked for without what they need."""
    from convlens.data.stores import remote

    far = [path for path in paths if remote(path)]
    if engine or far:
        raise InputError(
            far[0] if far else f"--engine {engine}", expected=wanted, found="none", fix=fix
        )


def find(paths: Sequence[str]) -> Many:
    """Return the photos that are named; exit if there are none."""
    from convlens.evaluation import many

    found = many.find(paths)
    for note in found.notes:
        click.echo(note, err=True)
    if not found.marks:
        sys.exit(1)
    return found


def runtime(engine: Any, workers: int | None, threads: int) -> params.RuntimeParams:
    """Return how the engine is to compute."""
    return params.RuntimeParams(
        precision="float32", threads=threads, engine=engine or "local", workers=workers or 0
    )


def finish(made: Made, out: str) -> NoReturn:
    """Say how it went, and exit."""
    click.echo(f"{made.rows:,} photos in {printable(out)}")
    if made.unread:
        click.echo(f"{made.unread:,} of them can't be read: see its column reason", err=True)
    sys.exit(1 if made.unread else 0)
