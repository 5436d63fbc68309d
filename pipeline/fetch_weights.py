"""Get the weights of a net's ImageNet base, whichever source serves them."""

from convlens.models import registry
from convlens.params import BaseParams, ConvnetParams
from convlens.paths import base_weights
from stage import run


def main(own: ConvnetParams | BaseParams, net: str) -> None:
    """Write data/weights/NET_base.npz."""
    given = own.weights if isinstance(own, BaseParams) else None
    print(f"weights of {net}: from {registry.fetch(net, base_weights(net), given)}")


if __name__ == "__main__":
    run(main)
