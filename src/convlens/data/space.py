"""Room on the disk, asked for before work begins."""

from __future__ import annotations

import shutil
from pathlib import Path

from convlens.errors import InputError


def check_space(folder: Path, needed: int) -> None:
    """Raise InputError if the disk of `folder` has fewer than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            folder,
            expected=f"{needed:,} bytes of free disk space",
            found=f"{free:,}",
            fix="free some space and run again; what has arrived is kept",
        )
