"""Run VGG16's frozen base once over every view of every image."""

from convlens import engines
from convlens import runtime as rt
from convlens.params import FeaturesParams, RuntimeParams
from convlens.paths import BASE_WEIGHTS, FEATURES, PREPARED
from convlens.progress import console
from stage import run


def main(features: FeaturesParams, runtime: RuntimeParams) -> None:
    """Write data/features/."""
    machine = rt.configure(runtime)
    from convlens.training.features import extract_features

    with engines.of(runtime) as engine:
        extract_features(
            features, machine, PREPARED, BASE_WEIGHTS, FEATURES, console, engine=engine
        )


if __name__ == "__main__":
    run(main)
