"""Run a net's frozen base once over every view of every image; the convnet has none."""

from convlens import runtime as rt
from convlens.params import CONVNET, FeaturesParams, RuntimeParams
from convlens.paths import FEATURES, PREPARED, base_weights
from convlens.progress import console
from stage import run


def main(features: FeaturesParams, runtime: RuntimeParams, net: str) -> None:
    """Write data/features/NET/."""
    machine = rt.configure(runtime) if net != CONVNET else rt.describe(runtime)
    from convlens.training.features import extract_features

    out = FEATURES / net
    extract_features(net, features, machine, PREPARED, base_weights(net), out, console)


if __name__ == "__main__":
    run(main)
