"""Stage `prepare`: decode, check and split the photos, and report on them."""

from pathlib import Path

from convlens.data import ingest
from convlens.params import DataParams
from convlens.progress import console
from convlens.report import data as report
from stage import run


def main(data: DataParams) -> None:
    archive, prepared = Path("data/raw/source.zip"), Path("data/prepared")
    ingest.prepare(archive, prepared, data, progress=console)
    report.write(archive, prepared, Path("reports/data"))


if __name__ == "__main__":
    run(main)
