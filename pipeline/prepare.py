"""Stage `prepare`: decode, check and split the photos, and report on them."""

from pathlib import Path

from convlens.params import DataParams
from convlens.paths import PREPARED
from convlens.progress import console
from stage import run


def main(data: DataParams) -> None:
    """Write data/prepared/ and reports/data/."""
    from convlens.data import ingest
    from convlens.gallery import data as report

    archive = Path("data/raw/source.zip")
    ingest.prepare(archive, PREPARED, data, progress=console)
    report.write(archive, PREPARED, Path("reports/data"))


if __name__ == "__main__":
    run(main)
