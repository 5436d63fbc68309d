"""Every stage's batch work, and predict, by the loop and by Ray: into local/ and ray/.

In a process of its own, since one thread has to be set before TensorFlow begins.
"""

import zipfile
from pathlib import Path

import numpy as np

from convlens import engines, params
from convlens.data.dataset import Split
from convlens.data.scan import scan
from convlens.evaluation import many
from convlens.evaluation.predict import score
from convlens.explain.classifier import Classifier
from convlens.explain.measure import measure
from convlens.gallery.explanation import Photo, write_depth, write_filters, write_methods
from convlens.gallery.photos_seen import Look, see
from convlens.models import convnet, heads, keras_file
from convlens.training.features import extract

ARCHIVE = Path("photos.zip")
REAL = params.load(Path(__file__).resolve().parents[2] / "params.yaml")


def run(name, workers):
    """Do it all on one engine; `workers` for features, one worker for the rest."""
    import keras

    runtime = params.RuntimeParams(precision="float32", threads=1, engine=name, workers=workers)
    out = Path(name)
    with engines.of(runtime) as engine:
        net = convnet.build(REAL.convnet, 48)
        base = keras.Model(net.inputs, net.get_layer("pool2").output)
        images = np.load("images.npy", mmap_mode="r")
        split = Split(images, np.zeros(len(images), np.uint8), ("cat", "dog"))
        how = REAL.features.model_copy(update={"batch_size": 16})
        extract(base, split, out / "features.npy", how, views=3, what="", engine=engine)
        engine.workers = 1
        names = sorted(zipfile.ZipFile(ARCHIVE).namelist())
        np.save(out / "logits.npy", score(net, split, 16, mirrored=True, engine=engine).logits)
        found = scan(ARCHIVE, names, out / "scratch.npy", 24, engine=engine)
        assert [seen.path for seen in found] == names
        assert found == scan(ARCHIVE, names, None, 24)
        explain(Path("model/model.keras"), out / "explain", engine)
    runtime = runtime.model_copy(update={"workers": 1})
    photos = many.find(["photos"])
    model = Path("model/model.keras")
    made = many.score(engines.of(runtime), photos, model, f"{name}/scores.parquet", 1)
    assert made.unread == 1


def explain(model, out, engine):
    """Do what stage `explain` gives to workers."""
    classifier = Classifier.load(model)
    pixels = np.load("images.npy")[:4]
    photos = [Photo(f"{k}", photo, photo) for k, photo in enumerate(pixels)]
    look = Look(layer="conv2", method="grad-cam")
    seen = see(classifier, photos, photos[2:], look, out, engine=engine)
    write_depth(classifier, seen.depth.layers(pixels), out)
    write_methods(photos[2:], seen.few, out, layer="conv2", colormap="viridis")
    wanted = REAL.explain.filters.model_copy(update={"count": 2, "steps": 2, "size": 32})
    write_filters(classifier, wanted, ["conv1", "conv3"], out, engine=engine)
    found = measure(classifier, pixels, {}, layer="conv2", steps=2, engine=engine)
    (out / "measured.txt").write_text(f"{found} {seen.heatmaps.maps.tobytes().hex()}")


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    np.save("images.npy", rng.integers(0, 256, (70, 48, 48, 3), dtype=np.uint8))
    first = params.RuntimeParams(precision="float32", threads=1)
    with engines.of(first):
        keras_file.save(convnet.build(REAL.convnet, 48), Path("model/model.keras"))
    heads.save_names(Path("model"), ["cat", "dog"])
    with zipfile.ZipFile(ARCHIVE, "w") as archive:
        for path in sorted(Path("photos").iterdir())[-40:]:
            archive.write(path)
    run("local", 0)
    run("ray", 2)
