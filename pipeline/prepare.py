"""Stage `prepare`: decode, check and split the photos, and report on them."""

from convlens import engines
from convlens.params import DataParams, RuntimeParams
from convlens.paths import DATA_REPORT, PREPARED, SOURCE
from convlens.progress import console
from stage import run


def main(data: DataParams, runtime: RuntimeParams) -> None:
    """Write data/prepared/ and reports/data/."""
    from convlens.data import ingest
    from convlens.gallery import data as report

    if runtime.engine == "local":  # whose own processes share one machine better than a loop
        ingest.prepare(SOURCE, PREPARED, data, progress=console)
    else:
        with engines.start(runtime.engine, workers=runtime.workers or None) as engine:
            ingest.prepare(SOURCE, PREPARED, data, progress=console, engine=engine)
    report.write(SOURCE, PREPARED, DATA_REPORT)


if __name__ == "__main__":
    run(main)
