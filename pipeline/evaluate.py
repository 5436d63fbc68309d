"""Score a trained model on the test split."""

from convlens import runtime as rt
from convlens.gallery import curves, evaluation
from convlens.params import EvaluateParams, RuntimeParams
from convlens.paths import MODELS, PREPARED, REPORTS
from convlens.progress import console
from stage import note_made, run


def main(evaluate: EvaluateParams, runtime: RuntimeParams, net: str) -> None:
    """Write reports/NET/evaluation/ and reports/NET/curves.png."""
    machine = rt.configure(runtime)
    from convlens.evaluation.evaluate import evaluate_model

    model, out, drawn = MODELS / net, REPORTS / net / "evaluation", REPORTS / net / "curves.png"
    result = evaluate_model(model, PREPARED, out, evaluate, machine, console)
    evaluation.write(result, out, title=net)
    curves.write(model / "curves.csv", drawn, net)
    note_made("evaluate", net, [*out.iterdir(), drawn, model / "metrics.json"])


if __name__ == "__main__":
    run(main)
