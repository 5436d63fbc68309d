"""Train VGG16's head on the cached features, then perhaps block 5 with it."""

from convlens import runtime as rt
from convlens.params import FeaturesParams, RuntimeParams, Vgg16Params
from convlens.paths import BASE_WEIGHTS, CHECKPOINTS, FEATURES, PREPARED, trained
from convlens.progress import epochs
from stage import run


def main(vgg16: Vgg16Params, features: FeaturesParams, runtime: RuntimeParams) -> None:
    """Write models/vgg16/."""
    machine = rt.configure(runtime)
    from convlens.training.vgg16 import train

    with epochs("vgg16", vgg16.all_epochs) as show:
        train(
            vgg16, features, machine, PREPARED, BASE_WEIGHTS, FEATURES, trained("vgg16"),
            checkpoints=CHECKPOINTS, on_epoch=[show],
        )  # fmt: skip


if __name__ == "__main__":
    run(main)
