"""Stage `fetch`: bring the archive of photos here; see convlens.data.sources."""

import os
import sys

from convlens.data import sources
from convlens.params import DataParams
from convlens.paths import DIGESTS, SOURCE
from convlens.progress import console
from stage import run


def main(data: DataParams) -> None:
    mirror = os.environ.get("CONVLENS_MIRROR")
    sources.fetch(data, SOURCE, mirror=mirror, digests=DIGESTS, progress=console)
    for warning in sources.warnings(SOURCE, data.classes):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
