"""Print the results of the last run and where to look next; changes nothing."""

import sys
from pathlib import Path

from convlens.errors import InputError
from convlens.evaluation.summary import closing_table
from convlens.text import aligned

NEXT = """
Where to look next
  reports/index.html   every picture and number, in a browser
  make ui              compare the runs in MLflow
  dvc metrics show     all metrics; `dvc plots show` draws the curves"""


def main() -> None:
    """Print each model's row of reports/summary.json."""
    try:
        print(f"\n{aligned(closing_table(Path()))}\n{NEXT}")
    except InputError as error:
        sys.exit(f"summary: {error}")


if __name__ == "__main__":
    main()
