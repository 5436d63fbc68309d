"""Train a net: the convnet from scratch, any other one's head on the features of its base."""

from convlens import runtime as rt
from convlens.params import BaseParams, ConvnetParams, RuntimeParams
from convlens.paths import CHECKPOINTS, FEATURES, PREPARED, base_weights, trained
from convlens.progress import epochs
from stage import run


def main(own: ConvnetParams | BaseParams, runtime: RuntimeParams, net: str) -> None:
    """Write models/NET/."""
    machine = rt.configure(runtime)
    from convlens.training import convnet, transfer

    with epochs(net, own.all_epochs) as show:
        how = {"checkpoints": CHECKPOINTS, "on_epoch": [show]}
        if isinstance(own, ConvnetParams):
            convnet.train(own, machine, PREPARED, trained(net), **how)
        else:
            transfer.train(
                net, own, machine, PREPARED, base_weights(net), FEATURES / net, trained(net), **how
            )


if __name__ == "__main__":
    run(main)
