"""Stage `explain_imagenet`: what the original VGG16, with 1000 classes, sees in the examples."""

from convlens import runtime as rt
from convlens.files import write_text
from convlens.params import ExplainParams, ImagenetParams, RuntimeParams
from convlens.paths import EXAMPLES, IMAGENET
from convlens.progress import console
from stage import run

OFF = "Off. To see VGG16's 1000 classes here, set imagenet.enabled to true in params.yaml.\n"


def main(imagenet: ImagenetParams, explain: ExplainParams, runtime: RuntimeParams) -> None:
    """Write reports/imagenet/: a picture of each example, or how to switch them on."""
    if not imagenet.enabled:
        write_text(IMAGENET / "README.txt", OFF)
        return
    rt.configure(runtime)
    from convlens.explain.classifier import Classifier
    from convlens.gallery.explanation import read_examples
    from convlens.gallery.imagenet import write_guesses
    from convlens.models import vgg16_imagenet

    net = vgg16_imagenet.load(vgg16_imagenet.find(imagenet.weights, console))
    model = Classifier(net, "imagenet")
    photos = read_examples(EXAMPLES, model.size[0])
    write_guesses(
        model, photos, IMAGENET, method=explain.method, colormap=explain.colormap, progress=console
    )


if __name__ == "__main__":
    run(main)
