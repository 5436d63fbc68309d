"""Show what the convnet is trained on: random views of pictures, a new one each epoch."""

import numpy as np

from convlens.data.dataset import AugmentedImages, load_split
from convlens.gallery.rows import Picture, in_rows
from convlens.gallery.style import save
from convlens.params import ConvnetParams
from convlens.paths import PREPARED, REPORTS
from convlens.runtime import quiet_tensorflow
from stage import run

EPOCHS = 5
SHOWN = 8  # classes


def main(convnet: ConvnetParams) -> None:
    """Write reports/convnet/views.png: a picture of each class as the epochs see it."""
    quiet_tensorflow()
    split = load_split(PREPARED, "train")
    source = AugmentedImages(split, convnet.augment, convnet.seed)
    shown = range(min(len(split.classes), SHOWN))
    first = np.array([int(np.argmax(split.labels == label)) for label in shown])
    rows = [[Picture(np.asarray(split.images[row]), "as it is")] for row in first]
    for epoch in range(EPOCHS):
        *arrays, _ = source.read(epoch, first)
        for row, view in zip(rows, np.asarray(source.finish(*arrays)), strict=True):
            pixels = np.round(view).astype(np.uint8)
            row.append(Picture(pixels, f"epoch {epoch + 1}"))
    note = "Each epoch draws its own transforms and light, as far as convnet.augment allows."
    figure = in_rows(rows, "What the convnet learns from: a new view each epoch", note)
    save(figure, REPORTS / "convnet/views.png")


if __name__ == "__main__":
    run(main)
