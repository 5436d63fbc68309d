"""A real net that isn't ours, on real photos: its heatmaps name the places that count."""

import zipfile

import numpy as np
import pytest

from convlens.data.decode import BadPhotoError, decode
from convlens.explain import faithfulness
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import heatmaps

COUNT, STEPS = 12, 6


@pytest.fixture(scope="module")
def photos(shared_data) -> np.ndarray:
    """A dozen cats and dogs by turns, (12, 224, 224, 3)."""
    path = shared_data / "petimages_sample.zip"
    if not path.exists():
        pytest.skip("no petimages_sample.zip beside the repository")
    found: list[np.ndarray] = []
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))
        cats, dogs = ([n for n in names if f"/{kind}/" in n] for kind in ("Cat", "Dog"))
        for name in (n for pair in zip(cats, dogs, strict=False) for n in pair):
            try:
                found.append(decode(archive.read(name), 224, 224).pixels)
            except BadPhotoError:
                continue
            if len(found) == COUNT:
                break
    return np.stack(found)


def test_its_heatmaps_beat_random_deletion_and_insertion(lite0, photos):
    classifier = Classifier(lite0, "imagenet")
    maps = heatmaps(classifier, photos)

    def chance_of(index):
        label = maps.classes[index]
        return lambda images: classifier.probabilities(images)[:, label]

    curves = faithfulness.curves(chance_of, photos, maps.maps, maps.raw.shape[1:], steps=STEPS)
    for kind, sign in (("deletion", -1), ("insertion", 1)):
        areas = {
            order: np.array([faithfulness.area(row) for row in rows])
            for order, rows in curves[kind].items()
        }
        gain = sign * (areas["heatmap"] - areas["random"])
        mean, low, _ = faithfulness.bootstrap(gain)
        assert low > 0, (kind, mean, low)
