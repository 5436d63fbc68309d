"""Stage `fetch`: bring the archive of photos here; see convlens.data.sources."""

import os
import sys
from pathlib import Path

from convlens.data import sources
from convlens.params import DataParams
from convlens.progress import console
from stage import run

OUT = Path("data/raw/source.zip")
DIGESTS = Path("data/digests.json")  # in git: what came when an address was first used


def main(data: DataParams) -> None:
    mirror = os.environ.get("CONVLENS_MIRROR")
    sources.fetch(data, OUT, mirror=mirror, digests=DIGESTS, progress=console)
    for warning in sources.warnings(OUT, data.classes):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
