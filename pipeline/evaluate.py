"""Score a trained model on the test split."""

from typing import Literal

from convlens import engines
from convlens import runtime as rt
from convlens.gallery import evaluation as figures
from convlens.params import EvaluateParams, RuntimeParams
from convlens.paths import PREPARED, evaluation, trained
from convlens.progress import console
from stage import run


def main(
    evaluate: EvaluateParams, runtime: RuntimeParams, model: Literal["convnet", "vgg16"]
) -> None:
    """Write reports/MODEL/evaluation/."""
    machine = rt.configure(runtime)
    from convlens.evaluation.evaluate import evaluate_model

    out = evaluation(model)
    with engines.of(runtime) as engine:
        result = evaluate_model(
            trained(model), PREPARED, out, evaluate, machine, console, engine=engine
        )
    figures.write(result, out, title=model)


if __name__ == "__main__":
    run(main)
