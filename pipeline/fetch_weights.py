"""Get VGG16's ImageNet base, whichever source serves it."""

from convlens.models.weight_sources import fetch
from convlens.models.weights import DIGEST
from convlens.params import Vgg16Params
from convlens.paths import BASE_WEIGHTS
from stage import run


def main(vgg16: Vgg16Params) -> None:
    """Write data/weights/vgg16_base.npz."""
    source = fetch(BASE_WEIGHTS, vgg16.weights)
    print(f"VGG16 base from {source}, digest {DIGEST[:12]}…")


if __name__ == "__main__":
    run(main)
