"""What a container may use: the limits of Linux' control groups, versions 1 and 2.

psutil and the standard library tell of the whole host, whatever `docker --cpus=2 --memory=4g` says.
Sources: the kernel's admin-guide/cgroup-v2 and scheduler/sched-bwc.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
_MOUNT = "sys/fs/cgroup"


def cores(root: Path = ROOT) -> int | None:
    """Return how many cores' time this process may use, rounded up; None if nothing limits it."""
    quotas = []
    for folder in _folders(root, "cpu"):
        quota, period = (_words(folder / "cpu.max") or _version_1(folder))[:2]
        if quota > 0 and period > 0:
            quotas.append(quota / period)
    return max(1, math.ceil(min(quotas))) if quotas else None


def free_memory(root: Path = ROOT) -> int | None:
    """Return the bytes that this process' groups have left; None if nothing limits them."""
    left = []
    for folder in _folders(root, "memory"):
        for limit, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most = _words(folder / limit)
            if most and 0 < most[0] < 2**60:  # version 1 writes a huge number for none
                taken = (_words(folder / used) or [0])[0] - _stat(folder, cache)
                left.append(max(0, int(most[0] - taken)))
    return min(left, default=None)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the groups that this process is in, from its own up to the root, of both versions."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        mount = root / _MOUNT / (controller if names else "")
        here = Path(path.lstrip("/"))
        # in a container the path is the host's, while the mount begins at the container's group
        for folder in dict.fromkeys((here, *here.parents, Path())):
            if (mount / folder).is_dir():
                yield mount / folder


def _words(path: Path) -> list[float]:
    """Return the numbers of a file; "max" is no limit, -1, and a missing file has none."""
    try:
        return [-1.0 if word == "max" else float(word) for word in path.read_text().split()]
    except (OSError, ValueError):
        return []


def _version_1(folder: Path) -> list[float]:
    quota, period = (_words(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return [*(quota or [-1.0]), *(period or [-1.0])]


def _stat(folder: Path, name: str) -> float:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.split()[:1] == [name]), 0.0)
