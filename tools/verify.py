"""Prove the commit: run it twice in fresh clones, compare every byte, then the committed results.

The second clone runs with another working directory, hash seed and scheduling of its threads.
A folder named on the command line keeps the first one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from convlens import reproduce
from convlens.files import read_json
from convlens.paths import LOCK

ROOT = Path(__file__).resolve().parents[1]
BAND = ROOT / "docs/band.json"
OTHER = {
    "PYTHONHASHSEED": "12345",
    "OMP_SCHEDULE": "dynamic",
    "OMP_PROC_BIND": "false",
    "TZ": "Asia/Tokyo",
}


def main() -> None:
    """Exit with 1 at any difference; print each."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="convlens-verify-") as folder:
        one = Path(*sys.argv[1:2] or [folder, "one"]).resolve()
        two = Path(folder) / "elsewhere" / "two"
        try:
            run(one, {})
            run(two, OTHER)
        except subprocess.CalledProcessError as error:
            sys.exit(f"verify: stopped, see above: {' '.join(map(str, error.cmd))}")
        found = [
            *reproduce.differences(one, two),
            *reproduce.against_lock(one, ROOT / LOCK),
            *reproduce.outside_band(one, read_json(BAND)),
        ]
        print(table(one))
    for difference in found:
        print(f"DIFFERENT  {difference.stage}: {difference.file}: {difference.where}")
    if found:
        sys.exit(1)
    minutes = (time.perf_counter() - started) / 60
    print(
        f"two clones byte-identical, data as committed, metrics inside the band: {minutes:.1f} min"
    )


def run(clone: Path, environment: dict[str, str]) -> None:
    """Clone the commit to `clone` and run its pipeline there with nothing cached."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "DVC_"))}
    here = inherited | {"PYTHONPATH": str(clone / "src")} | environment
    print(f"running the pipeline in {clone}", file=sys.stderr, flush=True)
    subprocess.run(["dvc", "repro"], cwd=clone, env=here, check=True, stdout=sys.stderr)


def table(clone: Path) -> str:
    """Return the closing table of the run in `clone`."""
    from convlens.evaluation.summary import closing_table
    from convlens.text import aligned

    return aligned(closing_table(clone))


if __name__ == "__main__":
    main()
