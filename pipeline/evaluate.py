"""Score a trained model on the test split."""

from pathlib import Path
from typing import Literal

from convlens import runtime as rt
from convlens.gallery import evaluation
from convlens.params import EvaluateParams, RuntimeParams
from convlens.paths import PREPARED
from convlens.progress import console
from stage import run


def main(
    evaluate: EvaluateParams, runtime: RuntimeParams, model: Literal["convnet", "vgg16"]
) -> None:
    """Write reports/MODEL/evaluation/."""
    machine = rt.configure(runtime)
    from convlens.evaluation.evaluate import evaluate_model

    out = Path("reports") / model / "evaluation"
    result = evaluate_model(Path("models") / model, PREPARED, out, evaluate, machine, console)
    evaluation.write(result, out, title=model)


if __name__ == "__main__":
    run(main)
