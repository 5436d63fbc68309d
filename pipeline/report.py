"""Stage `report`: both models' results as summary.json and one self-contained page."""

from pathlib import Path

from convlens import paths
from convlens.files import read_csv, write_json, write_text
from convlens.params import MODELS, EvaluateParams, ExplainParams
from stage import run

ROOT = Path()


def main(evaluate: EvaluateParams, explain: ExplainParams) -> None:
    """Write what concerns both models under reports/, and index.html, which holds it all."""
    from convlens.data.dataset import load_split
    from convlens.evaluation import suspects
    from convlens.evaluation.summary import summary
    from convlens.gallery import curves, style
    from convlens.gallery.both import write_both
    from convlens.gallery.suspects import label_suspects
    from convlens.report.build import page

    results = summary(ROOT, evaluate.confidence)
    for model in MODELS:
        style.save(curves.curves(_columns(model), model), paths.REPORTS / model / "curves.png")
    write_both(ROOT, paths.BOTH, explain.colormap)
    found = suspects.from_files(ROOT, MODELS)
    suspects.write(found, MODELS, paths.SUSPECTS)
    sheet = label_suspects(found, load_split(paths.PREPARED, "test").images)
    style.save(sheet, paths.SUSPECTS.with_suffix(".png"))
    write_json(paths.SUMMARY, results)
    write_text(paths.PAGE, page(ROOT, results))
    print(f"{paths.PAGE} holds every picture and number")


def _columns(model: str) -> dict[str, list[float]]:
    rows = read_csv(paths.trained(model) / "curves.csv")
    return {key: [float(row[key]) for row in rows] for key in rows[0]}


if __name__ == "__main__":
    run(main)
