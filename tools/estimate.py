"""Say how long the work ahead will take on this machine; change nothing.

python tools/estimate.py repro | seeds [COUNT] | bench
"""

from __future__ import annotations

import subprocess
import sys

from convlens import estimate, params, runtime
from convlens.paths import PARAMS


def main(work: str, count: int) -> None:
    """Print one line, or nothing if all is done."""
    if work == "repro" and not subprocess.run(["dvc", "status", "--quiet"], check=False).returncode:
        return
    given = params.load(PARAMS)
    machine = runtime.configure(given.runtime)
    gflops = estimate.matrix_product(machine.precision)
    found = estimate.stages(given, estimate.images(given.data), gflops)
    if work == "seeds":
        found = {name: count * found[name] for name in found if name.startswith(("train", "eval"))}
    if work == "bench":
        found = {"trainings side by side": estimate.bench_gflop(given) / gflops}
    print(estimate.text(found, gflops, machine.precision), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int((sys.argv[2:] or ["3"])[0]))
