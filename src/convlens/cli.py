"""The command line: convlens predict | inspect | doctor | sync | register | ui."""

from __future__ import annotations

import io
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from convlens import __version__, params, paths
from convlens.cli_explain import explain
from convlens.cli_predict import predict
from convlens.errors import EXTRA, InputError, missing_extra, of_the_disk


class _Group(click.Group):
    """Shows a user's mistake as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal's letters lack
            sys.stdout.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(f"convlens: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
            sys.stderr.close()
            ctx.exit(0)
        except OSError as error:
            click.echo(f"convlens: {of_the_disk(error)}", err=True)
            ctx.exit(2)


class _OfThePipeline(click.Command):
    """Needs what comes with the extra `pipeline`, and says so before it does anything."""

    def invoke(self, ctx: click.Context) -> Any:
        for module in EXTRA:
            if find_spec(module) is None:
                raise missing_extra(module)
        return super().invoke(ctx)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """See what convolutional networks see in photos."""


main.add_command(predict)
main.add_command(explain)


@main.command(cls=_OfThePipeline)
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print everything as JSON")
def inspect(archive: Path, as_json: bool) -> None:
    """Say what ARCHIVE, a zip, tar or folder of photos, holds; change nothing.

    Counts by class and split, formats, sizes, unusable photos and photos that look alike.
    """
    from dataclasses import asdict

    from convlens.data import inspect as inspection
    from convlens.progress import console

    found = inspection.inspect(archive, progress=console)
    click.echo(json.dumps(asdict(found), indent=2) if as_json else inspection.table(found))


@main.command(cls=_OfThePipeline)
@click.option("--json", "as_json", is_flag=True, help="print everything as JSON")
def doctor(as_json: bool) -> None:
    """Say what this machine can promise, what would break a run, and how long one will take.

    The exit code is 1 if a problem was found.
    """
    from dataclasses import asdict

    from convlens import doctor as clinic
    from convlens import estimate, runtime

    root, given = _repository()
    found = clinic.examine(root, given)
    threads = given.runtime.threads
    machine = runtime.configure(params.RuntimeParams(precision="auto", threads=threads))
    found.record["a whole run"] = estimate.whole_run(given, machine.precision)
    click.echo(json.dumps(asdict(found), indent=2) if as_json else clinic.text(found))
    sys.exit(any(finding.level == "problem" for finding in found.findings))


@main.command(cls=_OfThePipeline)
def sync() -> None:
    """Rebuild the MLflow runs of what stands under data, models and reports.

    Nothing is logged twice; use it after a tracking server was down, or for a fresh store. The
    exit code is 1 if something could not be tracked.
    """
    from convlens import lock, tracking

    root, given = _repository()
    left = 0
    for name in (tracking.DATA, *given.nets):
        try:
            click.echo(f"{name:<9} {tracking.sync(root, name) or 'nothing to track yet'}")
        except InputError as error:
            click.echo(f"{name:<9} {error.where} {error.found}: {error.fix}", err=True)
            left += 1
        except tracking.TrackingUnavailable as error:
            sys.exit(f"convlens: not tracked: {error}")
    for edit in lock.edited(root / paths.LOCK, given.model_dump(mode="json")):
        click.echo(f"not run yet: {edit}", err=True)
    sys.exit(1 if left else 0)


@main.command(cls=_OfThePipeline)
@click.argument("model", metavar="MODEL")
@click.option("--retest", is_flag=True, help="first score the champion on the present test split")
def register(model: str, retest: bool) -> None:
    """Register the best run of MODEL on the prepared data, with a model card.

    It becomes `candidate`; `champion` only by the rule of params.yaml's section `registry`.
    """
    from convlens import runtime, tracking
    from convlens.tracking import registry

    root, given = _repository()
    try:
        if retest:
            machine = runtime.configure(given.runtime)
            registry.retest(root, model, given.evaluate, machine)
        found = registry.register(root, model, given.registry)
    except tracking.TrackingUnavailable as error:
        sys.exit(f"convlens: not registered: {error}")
    alias = "candidate and champion" if found.champion else "candidate"
    click.echo(f"{found.name} version {found.version} is {alias} ({found.reason})\n{found.run}")


@main.command(cls=_OfThePipeline)
@click.option("--port", default=5000, show_default=True)
def ui(port: int) -> None:
    """Open the experiments in the MLflow UI, for this machine only."""
    from convlens.errors import masked
    from convlens.tracking import TrackingUnavailable, store

    root, _ = _repository()
    try:
        uri = store.store_uri(root)
        if uri.startswith(("http:", "https:")):
            click.echo(f"the UI is at {masked(uri)}")
            return
        with store.session(root):
            pass  # so that it is there, where it says that it is
    except TrackingUnavailable as error:
        sys.exit(f"convlens: no UI: {error}")
    # not as an option, which every user of this machine could read in the list of processes
    click.echo(f"MLflow UI: http://127.0.0.1:{port}   (Ctrl-C ends it)", err=True)
    words = ["--host", "127.0.0.1", "--workers", "1", "--port", str(port)]
    command = [sys.executable, "-m", "mlflow", "ui", *words]
    # else it starts seven more processes for jobs that nobody here has
    environment = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    os.execve(command[0], command, os.environ | environment)  # it gets our signals: no orphan


def _repository() -> tuple[Path, params.Params]:
    """Return where the repository is and its parameters; set this process up for MLflow."""
    from convlens import tracking

    tracking.configure()
    root = paths.repository()
    os.chdir(root)  # e.g. data.archive is relative to it
    return root, params.load(paths.PARAMS)


if __name__ == "__main__":
    main()
