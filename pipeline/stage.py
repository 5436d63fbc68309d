"""What every stage does around its work: typed parameters in, one clear error out."""

from __future__ import annotations

import inspect
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import psutil

from convlens import params
from convlens.errors import InputError, of_the_disk
from convlens.files import sha256, write_json
from convlens.paths import LOCAL, MADE, PARAMS

NET, OWN = "net", "own"
PROVENANCE = "provenance.json"  # who made it, when: no result


def run(main: Callable[..., None]) -> NoReturn:
    """Call `main` with the sections of params.yaml that its arguments name, then exit.

    `own` is the section of the stage's `net`; what params.yaml does not name comes from the
    command line in order. So the signature says what a stage depends on, and a test holds dvc.yaml
    to it.
    """
    _end_with_dvc()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal's letters lack
        sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGINT, _terminate)
    signal.signal(signal.SIGTERM, _terminate)
    name = "@".join([Path(inspect.getfile(main)).stem, *(Path(w).name for w in sys.argv[1:])])
    started = time.perf_counter()
    try:
        main(**_arguments(main, sys.argv[1:]))
        _record_usage(name, time.perf_counter() - started)
        _track(name)
    except BaseException as error:
        # What loads when it is interrupted, if it is in C++, makes another error of it.
        ended = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        if ended or isinstance(error, KeyboardInterrupt):
            print(f"\n{name}: interrupted; run again to continue", file=sys.stderr, flush=True)
            sys.stdout.flush()
            os._exit(130)  # Python's own end may fail with a library that is half there
        if not isinstance(error, InputError | OSError):
            raise
        said = of_the_disk(error) if isinstance(error, OSError) else error
        print(f"\n{name}: {said}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


def sections(main: Callable[..., None]) -> set[str]:
    """Return the sections of params.yaml that `main` asks for by an argument's name."""
    return {*inspect.signature(main).parameters} & {*params.Params.model_fields}


@cache
def _tree() -> Any:
    """Read params.yaml once, at the start: an edit during the run belongs to the next one."""
    return params.tree(PARAMS)


def _arguments(main: Callable[..., None], words: list[str]) -> dict[str, Any]:
    wanted = sections(main)
    given = params.check(_tree(), PARAMS)
    arguments: dict[str, Any] = {name: getattr(given, name) for name in wanted}
    names = [*inspect.signature(main).parameters]
    plain = [name for name in names if name not in {*wanted, OWN}]
    if len(words) != len(plain):
        usage = " ".join(name.upper() for name in plain) or "no arguments"
        raise InputError(
            "command line", expected=usage, found=" ".join(words) or "nothing", fix="see dvc.yaml"
        )
    arguments |= dict(zip(plain, words, strict=True))
    if NET in plain and arguments[NET] not in given.nets:
        expected = f"one of nets in {PARAMS}: {', '.join(given.nets)}"
        raise InputError(NET, expected=expected, found=arguments[NET], fix="name it there")
    if OWN in names:
        arguments[OWN] = given.of(arguments[NET])
    return arguments


def note_made(stage: str, net: str, files: Iterable[Path]) -> None:
    """Say what a stage of one of the nets has made: what comes after all nets reads these notes.

    DVC can't list the outputs of every net that params.yaml may name, but a folder it can watch.
    """
    found = {path.as_posix(): sha256(path) for path in sorted(files) if path.name != PROVENANCE}
    write_json(MADE / f"{stage}@{net}.json", found)


def _terminate(*_: object) -> NoReturn:
    for end in (signal.SIGINT, signal.SIGTERM):  # one is enough: the next would cut the clean-up
        signal.signal(end, signal.SIG_IGN)
    raise KeyboardInterrupt  # SIGTERM unwinds like Ctrl-C, so that `with` blocks clean up


def _track(name: str) -> None:
    """Note who made this, and put it into MLflow; a tracking server never fails a stage."""
    from convlens import tracking

    tracking.configure()
    try:
        tracking.track(Path.cwd(), name, _tree())
    except (InputError, tracking.TrackingUnavailable) as error:
        print(f"warning: not tracked: {error}; `convlens sync` does it later", file=sys.stderr)


def _record_usage(name: str, seconds: float) -> None:
    usage = {"seconds": round(seconds, 2), "peak_memory_mb": _peak_memory()}
    write_json(LOCAL / "usage" / f"{name}.json", usage)


def _peak_memory() -> int | None:
    """Return the process' peak in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # not a Unix
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def _end_with_dvc() -> None:
    """Let this process end when the `dvc` that started it has gone.

    It would go on and write beside the next one. A shell stands between the two, or has given its
    place to the stage.
    """
    if "DVC_STAGE" not in os.environ:
        return
    with suppress(psutil.Error):
        above = psutil.Process().parent()
        if above and Path(sys.argv[0]).name in above.cmdline()[-1]:
            above = above.parent()
        if above:
            threading.Thread(target=_end_after, args=(above,), daemon=True).start()


def _end_after(process: psutil.Process) -> None:
    with suppress(psutil.Error):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
