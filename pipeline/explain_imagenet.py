"""What a net with ImageNet's 1000 classes sees in Chelsea, a cat, and in the examples."""

import sys

from convlens import runtime as rt
from convlens.errors import InputError
from convlens.files import write_text
from convlens.params import ExplainParams, ImagenetParams, RuntimeParams
from convlens.paths import EXAMPLES, IMAGENET
from convlens.progress import console
from stage import run

OFF = "Off. To see ImageNet's 1000 classes here, set imagenet.enabled to true in params.yaml."
AGAIN = "`dvc repro --single-item --force explain_imagenet` tries again."


def main(imagenet: ImagenetParams, explain: ExplainParams, runtime: RuntimeParams) -> None:
    """Write reports/imagenet/: a picture of each photo, or why there is none."""
    if not imagenet.enabled:
        write_text(IMAGENET / "README.txt", f"{OFF}\n")
        return
    rt.configure(runtime)
    from convlens.explain.classifier import Classifier
    from convlens.gallery.explanation import read_examples
    from convlens.gallery.imagenet import chelsea, write_guesses
    from convlens.models import efficientnet_lite0

    try:
        model = Classifier(efficientnet_lite0.load(), "imagenet")
    except InputError as error:  # no network, say: what else the run makes doesn't need these
        print(f"explain_imagenet is left out. {error}\n{AGAIN}", file=sys.stderr)
        write_text(IMAGENET / "README.txt", f"Left out: {error}\n{AGAIN}\n")
        return
    size = model.size[0]
    photos = [chelsea(size), *read_examples(EXAMPLES, size)]
    write_guesses(
        model, photos, IMAGENET, method=explain.method, colormap=explain.colormap, progress=console
    )


if __name__ == "__main__":
    run(main)
