"""Stage `report`: all nets' results as summary.json and one self-contained page."""

from pathlib import Path

from convlens import paths
from convlens.files import write_json, write_text
from convlens.params import EvaluateParams, ExplainParams
from stage import run

ROOT = Path()


def main(nets: list[str], evaluate: EvaluateParams, explain: ExplainParams) -> None:
    """Write what concerns all nets under reports/, and index.html, which holds it all."""
    from convlens.data.dataset import load_split
    from convlens.evaluation import suspects
    from convlens.evaluation.summary import summary
    from convlens.gallery import style
    from convlens.gallery.both import write_both
    from convlens.gallery.suspects import label_suspects
    from convlens.report.build import page

    for note in paths.MADE.glob("*@*.json"):
        if note.stem.partition("@")[2] not in nets:  # of an earlier run with other nets
            note.unlink()
    results = summary(ROOT, nets, evaluate.confidence)
    write_both(ROOT, nets, paths.BOTH, explain.colormap)
    found = suspects.from_files(ROOT, nets)
    suspects.write(found, nets, paths.SUSPECTS)
    sheet = label_suspects(found, load_split(paths.PREPARED, "test").images)
    style.save(sheet, paths.SUSPECTS.with_suffix(".png"))
    write_json(paths.SUMMARY, results)
    write_text(paths.PAGE, page(ROOT, results))
    print(f"{paths.PAGE} holds every picture and number")


if __name__ == "__main__":
    run(main)
