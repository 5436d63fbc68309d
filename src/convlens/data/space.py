"""Room on the disk and in memory, asked for before work begins."""

from __future__ import annotations

import shutil
from pathlib import Path

from convlens import cgroup
from convlens.errors import InputError

_GIB = 2**30
FREE_SOME = "free some space and run again"


def check_space(
    folder: Path, needed: int, fix: str = "free some space and run again; what has arrived is kept"
) -> None:
    """Raise InputError if the disk of `folder` has fewer than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            folder,
            expected=f"{needed:,} bytes of free disk space",
            found=f"{free:,}",
            fix=fix,
        )


def check_memory(what: str, needed: int, fix: str) -> None:
    """Raise InputError if `what` needs more bytes than the machine, or the container, has left."""
    import psutil

    free = psutil.virtual_memory().available
    left = cgroup.free_memory()
    free = free if left is None else min(free, left)
    if free < needed:
        raise InputError(
            what,
            expected=f"at most {free / _GIB:.1f} GiB, the memory that is free",
            found=f"at least {needed / _GIB:.1f} GiB needed",
            fix=fix,
        )
