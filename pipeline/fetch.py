"""Stage `fetch`: bring the archive of photos here; see convlens.data.sources."""

import os
import sys

from convlens.data import sources
from convlens.params import DataParams
from convlens.paths import SOURCE
from convlens.progress import console
from stage import run


def main(data: DataParams) -> None:
    digest = sources.fetch(data, SOURCE, mirror=os.environ.get("CONVLENS_MIRROR"), progress=console)
    for warning in sources.warnings(SOURCE, data.classes):
        print(f"warning: {warning}", file=sys.stderr)
    if data.source == "cats-and-dogs-small" and data.sha256 is None:
        print(f"The publisher names no sha256; pin what arrived: data.sha256: {digest}")


if __name__ == "__main__":
    run(main)
