"""Stage `fetch`: bring the archive of photos here; see convlens.data.sources."""

import os
import sys
from pathlib import Path

from convlens.data import sources
from convlens.params import DataParams
from convlens.progress import console
from stage import run

OUT = Path("data/raw/source.zip")


def main(data: DataParams) -> None:
    digest = sources.fetch(data, OUT, mirror=os.environ.get("CONVLENS_MIRROR"), progress=console)
    for warning in sources.warnings(OUT, data.classes):
        print(f"warning: {warning}", file=sys.stderr)
    if data.source == "cats-and-dogs-small" and data.sha256 is None:
        print(f"The publisher names no sha256; pin what arrived: data.sha256: {digest}")


if __name__ == "__main__":
    run(main)
