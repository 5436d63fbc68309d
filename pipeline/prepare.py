"""Stage `prepare`: decode, check and split the photos; see convlens.data.ingest."""

from pathlib import Path

from convlens.data import ingest
from convlens.params import DataParams
from convlens.progress import console
from stage import run


def main(data: DataParams) -> None:
    ingest.prepare(Path("data/raw/source.zip"), Path("data/prepared"), data, progress=console)


if __name__ == "__main__":
    run(main)
