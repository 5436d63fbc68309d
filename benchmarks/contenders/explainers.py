"""One library explains nets in its own environment: python explainers.py LIBRARY FOLDER.

FOLDER holds NAME.keras and NAME.npz, photos (1, H, W, c) uint8 and the label to explain, of each
net; `timed` is the one whose seconds count. Prints JSON: name to "" or the error; and seconds
beyond importing TensorFlow.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf  # noqa: F401 - its import is not what is timed

TIMED = "timed"


def convlens(path: Path, label: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the heatmap function of ConvLens for class `label`."""
    from convlens import Classifier, explain

    classifier = Classifier.load(path)
    return lambda photos: explain(classifier, photos, classes=label).heatmaps


def tf_keras_vis(path: Path, label: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the heatmap function of tf-keras-vis, as in its examples."""
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import BinaryScore, CategoricalScore

    model = keras.models.load_model(path, compile=False)
    one = model.outputs[0].shape[-1] == 1
    score = BinaryScore(bool(label)) if one else CategoricalScore(label)
    gradcam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    return lambda photos: gradcam(score, photos.astype(np.float32), penultimate_layer=-1)


def xplique(path: Path, label: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the heatmap function of xplique, as in its examples."""
    import keras
    from xplique.attributions import GradCAM

    model = keras.models.load_model(path, compile=False)
    width = model.outputs[0].shape[-1]
    wanted = (
        np.eye(width, dtype=np.float32)[[label]] if width > 1 else np.float32([[2 * label - 1]])
    )
    explainer = GradCAM(model)
    return lambda photos: np.asarray(explainer(photos.astype(np.float32), wanted))[..., 0]


def of(path: Path) -> tuple[np.ndarray, int]:
    """Return the photos and the label for the net at `path`."""
    with np.load(path.with_suffix(".npz")) as given:
        return given["photos"], int(given["label"])


def gives_a_map(make: Callable[..., Callable[..., np.ndarray]], path: Path) -> str:
    """Return "" if the map of a photo has its size, is finite and not the same everywhere."""
    photos, label = of(path)
    try:
        found = np.asarray(make(path, label)(photos))
    except Exception as error:  # whatever a library raises
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:120]}"
    if found.shape[:3] != photos.shape[:3]:
        return f"a map of shape {found.shape}"
    return "" if np.isfinite(found).all() and np.ptp(found) > 0 else "an empty map"


def main() -> None:
    """Explain every net of the folder, the timed one first."""
    make, folder = globals()[sys.argv[1]], Path(sys.argv[2])
    timed = folder / f"{TIMED}.keras"
    photos, label = of(timed)
    start = time.perf_counter()
    run = make(timed, label)
    run(photos)
    first = time.perf_counter()
    run(photos)
    seconds = {"first": first - start, "further": time.perf_counter() - first}
    nets = [path for path in sorted(folder.glob("*.keras")) if path.stem != TIMED]
    said = {path.stem: gives_a_map(make, path) for path in nets}
    print(json.dumps({"nets": said, "seconds": seconds}))


if __name__ == "__main__":
    main()
