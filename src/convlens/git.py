"""What git knows of a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

from convlens import paths

# They change while the pipeline runs.
_PRODUCED = (paths.LOCK, "data", paths.TRAINED, paths.REPORTS)
_DIFF_LIMIT = 1_000_000


def git(root: Path, *words: str) -> str:
    """Return what `git WORDS` prints in `root`; empty where it fails or is no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def commit(root: Path) -> str:
    """Return the commit that is checked out, empty if there is none."""
    return git(root, "rev-parse", "HEAD").strip()


def uncommitted(root: Path) -> str:
    """Return the changes since the last commit, outputs aside, and the names of new files."""
    sources = [".", *(f":(exclude){name}" for name in _PRODUCED)]
    changes = git(root, "diff", "HEAD", "--", *sources)
    new = git(root, "ls-files", "--others", "--exclude-standard", "--", *sources).splitlines()
    return changes[:_DIFF_LIMIT] + "".join(f"# new file: {name}\n" for name in new)
