"""Stage `prepare`: decode, check and split the photos, and report on them."""

from convlens.params import DataParams
from convlens.paths import DATA_REPORT, PREPARED, SOURCE
from convlens.progress import console
from stage import run


def main(data: DataParams) -> None:
    """Write data/prepared/ and reports/data/."""
    from convlens.data import ingest
    from convlens.gallery import data as report

    ingest.prepare(SOURCE, PREPARED, data, progress=console)
    report.write(SOURCE, PREPARED, DATA_REPORT)


if __name__ == "__main__":
    run(main)
