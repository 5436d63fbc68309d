"""Prove the commit: run it in two fresh clones, compare every byte, then the committed results.

Both run at once, which fills the cores while one of them reads or imports. The second one has
another working directory, hash seed and scheduling of its threads; what it says stands in a log.
A folder named on the command line keeps the first one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

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
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="convlens-verify-") as folder:
        one = Path(*sys.argv[1:2] or [folder, "one"]).resolve()
        two, log = Path(folder) / "elsewhere" / "two", Path(folder) / "two.log"
        for clone in (one, two):  # both before either runs: nothing is left running if one can't be
            made = subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=False)
            if made.returncode:
                sys.exit(f"verify: {clone} can't be made, see above")
        with log.open("w") as quiet:
            running = [start(one, {}, sys.stderr), start(two, OTHER, quiet)]
            codes = [process.wait() for process in running]
        if any(codes):
            sys.exit(f"verify: stopped, see above and here:\n{log.read_text()[-2000:]}")
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
    minutes = (time.perf_counter() - began) / 60
    print(
        f"two clones byte-identical, data as committed, metrics inside the band: {minutes:.1f} min"
    )


def start(clone: Path, environment: dict[str, str], out: TextIO) -> subprocess.Popen[bytes]:
    """Start the pipeline in `clone`, where nothing is cached."""
    # modules are compiled once and not by every stage, whatever the caller wants for its own
    other = ("MLFLOW_", "DVC_", "PYTHONDONTWRITEBYTECODE")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(other)}
    here = inherited | {"PYTHONPATH": str(clone / "src")} | environment
    print(f"running the pipeline in {clone}", file=sys.stderr, flush=True)
    return subprocess.Popen(["dvc", "repro"], cwd=clone, env=here, stdout=out, stderr=out)


def table(clone: Path) -> str:
    """Return the closing table of the run in `clone`."""
    from convlens.evaluation.summary import closing_table
    from convlens.text import aligned

    return aligned(closing_table(clone))


if __name__ == "__main__":
    main()
