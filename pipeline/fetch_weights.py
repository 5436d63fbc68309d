"""Get VGG16's ImageNet base, whichever source serves it."""

from pathlib import Path

from convlens.models import weights
from convlens.params import Vgg16Params
from stage import run


def main(vgg16: Vgg16Params) -> None:
    """Write data/weights/vgg16_base.npz."""
    source = weights.fetch(Path("data/weights/vgg16_base.npz"), vgg16.weights)
    print(f"VGG16 base from {source}, digest {weights.DIGEST[:12]}…")


if __name__ == "__main__":
    run(main)
