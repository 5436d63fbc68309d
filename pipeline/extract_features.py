"""Run a net's frozen base once over every view of every image; the convnet has none."""

from convlens import engines
from convlens import runtime as rt
from convlens.files import write_json
from convlens.params import CONVNET, FeaturesParams, RuntimeParams
from convlens.paths import FEATURES, PREPARED, base_weights
from convlens.progress import console
from stage import run


def main(features: FeaturesParams, runtime: RuntimeParams, net: str) -> None:
    """Write data/features/NET/."""
    out = FEATURES / net
    if net == CONVNET:
        write_json(out / "none.json", {"net": net, "trained on": f"{PREPARED}"})
        return
    machine = rt.configure(runtime)
    from convlens.training.features import extract_features

    weights = base_weights(net)
    with engines.of(runtime) as engine:
        extract_features(
            net, features, machine, PREPARED, weights, out, console, engine=engine
        )  # fmt: skip


if __name__ == "__main__":
    run(main)
