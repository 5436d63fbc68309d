"""Train the tutorials' small convnet from scratch."""

from convlens import runtime as rt
from convlens.params import ConvnetParams, RuntimeParams
from convlens.paths import CHECKPOINTS, PREPARED, trained
from convlens.progress import epochs
from stage import run


def main(convnet: ConvnetParams, runtime: RuntimeParams) -> None:
    """Write models/convnet/."""
    machine = rt.configure(runtime)
    from convlens.training.convnet import train

    with epochs("convnet", convnet.epochs) as show:
        train(
            convnet, machine, PREPARED, trained("convnet"), checkpoints=CHECKPOINTS, on_epoch=[show]
        )


if __name__ == "__main__":
    run(main)
