"""Score a trained model on the test split."""

from convlens import engines
from convlens import runtime as rt
from convlens.gallery import curves
from convlens.gallery import evaluation as figures
from convlens.params import EvaluateParams, RuntimeParams
from convlens.paths import METRICS, PREPARED, REPORTS, evaluation, trained
from convlens.progress import console
from stage import note_made, run


def main(evaluate: EvaluateParams, runtime: RuntimeParams, net: str) -> None:
    """Write reports/NET/evaluation/ and reports/NET/curves.png."""
    machine = rt.configure(runtime)
    from convlens.evaluation.evaluate import evaluate_model

    out, model, drawn = evaluation(net), trained(net), REPORTS / net / "curves.png"
    with engines.of(runtime) as engine:
        result = evaluate_model(model, PREPARED, out, evaluate, machine, console, engine=engine)
    figures.write(result, out, title=net)
    curves.write(model / "curves.csv", drawn, net)
    note_made("evaluate", net, [*out.iterdir(), drawn, model / METRICS])


if __name__ == "__main__":
    run(main)
