"""Print the results of the last run and where to look next; changes nothing."""

from pathlib import Path

from convlens.evaluation.numbers import aligned
from convlens.evaluation.summary import closing_table
from stage import run

NEXT = """
Where to look next
  reports/index.html   every picture and number, in a browser
  make ui              compare the runs in MLflow
  dvc metrics show     all metrics; `dvc plots show` draws both models' curves"""


def main() -> None:
    """Print both models' row of reports/summary.json."""
    print(f"\n{aligned(closing_table(Path()))}\n{NEXT}")


if __name__ == "__main__":
    run(main)
