"""Stage `report`: both models' results as summary.json and one self-contained page."""

from pathlib import Path

from convlens import report
from convlens.evaluation.summary import summary
from convlens.figures import curves, style
from convlens.files import read_csv, write_json, write_text
from convlens.params import MODELS, EvaluateParams
from stage import run
from summary import show

ROOT, REPORTS = Path(), Path("reports")


def main(evaluate: EvaluateParams) -> None:
    """Write reports/MODEL/curves.png, reports/summary.json and reports/index.html."""
    results = summary(ROOT, evaluate.confidence)
    for model in MODELS:
        style.save(curves.curves(_columns(model), model), REPORTS / model / "curves.png")
    write_json(REPORTS / "summary.json", results)
    write_text(REPORTS / "index.html", report.page(ROOT, results))
    show()


def _columns(model: str) -> dict[str, list[float]]:
    rows = read_csv(Path("models") / model / "curves.csv")
    return {key: [float(row[key]) for row in rows] for key in rows[0]}


if __name__ == "__main__":
    run(main)
