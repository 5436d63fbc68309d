"""The library: three lines, on a net that isn't ours, with known answers."""

import re

import numpy as np
import pytest
from PIL import Image

import convlens
from colours import NAMES, net, square
from convlens import Classifier, explain
from convlens.errors import InputError

PLACES = {"red": (4, 20), "blue": (14, 6)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    net().save(folder / "my.keras")
    (folder / "labels.txt").write_text("\n".join(NAMES))
    for colour, place in PLACES.items():
        Image.fromarray(square(colour, *place)).save(folder / f"{colour}.png")
    return folder


@pytest.fixture(scope="module")
def classifier(folder):
    return Classifier.load(folder / "my.keras", classes=folder / "labels.txt")


def centre(heat):
    return np.array(np.unravel_index(np.argmax(heat), heat.shape))


def test_three_lines_find_what_the_net_looks_at(classifier, folder):
    found = explain(classifier, [folder / "red.png", str(folder / "blue.png")])
    assert found.heatmaps.shape == (2, 24, 32)
    assert found.heatmaps.dtype == np.float32
    assert (found.heatmaps.min(), found.heatmaps.max()) == (0, 1)
    assert found.raw.shape == (2, 24, 32)
    assert [NAMES[label] for label in found.classes] == ["red", "blue"]
    assert not found.empty.any()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert found.probabilities.shape == (2, 3)
    assert (found.layer, found.placement.jump) == ("find", (1, 1))
    for heat, place in zip(found.heatmaps, PLACES.values(), strict=True):
        assert np.abs(centre(heat) - (np.array(place) + 1.5)).max() <= 1


def test_arrays_and_paths_give_the_same(classifier, folder):
    pixels = np.stack([square(colour, *place) for colour, place in PLACES.items()])
    by_array = explain(classifier, pixels)
    by_path = explain(classifier, sorted(folder.glob("*.png"))[::-1])
    np.testing.assert_array_equal(by_array.heatmaps, by_path.heatmaps)
    assert by_array.names == ("photo_1", "photo_2")


def test_classes_are_asked_for_by_name_or_number(classifier, folder):
    by_name = explain(classifier, folder / "red.png", classes="blue")
    by_number = explain(classifier, folder / "red.png", classes=2)
    np.testing.assert_array_equal(by_name.raw, by_number.raw)
    assert by_name.classes == [2]
    each = explain(classifier, [folder / "red.png"] * 2, classes=["red", "green"])
    assert each.classes.tolist() == [0, 1]
    assert each.names == ("red", "red_2")
    with pytest.raises(InputError, match="green") as caught:
        explain(classifier, folder / "red.png", classes="gren")
    assert "3 classes" in caught.value.expected


@pytest.mark.parametrize(
    ("photos", "options", "reason"),
    [
        ("missing.png", {}, "No such file"),
        ([], {}, "none"),
        ("red.png", {"method": "cam"}, "'cam'"),
        ("red.png", {"layer": "nix"}, "no layer of that name"),
        ("red.png", {"classes": [0, 1]}, "2"),
        (np.zeros((1, 9, 9, 3)), {}, re.escape("(1, 9, 9, 3)")),
    ],
)
def test_what_cannot_be_explained_is_one_clear_error(classifier, folder, photos, options, reason):
    if isinstance(photos, str):
        photos = folder / photos
    with pytest.raises(InputError, match=reason):
        explain(classifier, photos, **options)


def test_it_shows_itself_and_saves_pages(classifier, folder, tmp_path):
    found = explain(classifier, folder / "red.png")
    assert found._repr_png_().startswith(b"\x89PNG")
    assert len(found.figure().artists) == 4  # photo, heatmap, overlay, scale
    assert found.save(tmp_path / "seen") == tmp_path / "seen"
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    names = ("summary.png", "heatmap.png", "activations.png", "arrays.npz")
    assert written == {f"seen/red/{name}" for name in names}
    with np.load(tmp_path / "seen/red/arrays.npz") as arrays:
        np.testing.assert_array_equal(arrays["heatmap"], found.heatmaps[0])
        np.testing.assert_array_equal(arrays["raw"], found.raw[0])
        np.testing.assert_allclose(arrays["probabilities"], found.probabilities[0], atol=1e-6)


@pytest.mark.parametrize("shape", [(24, 32, 1), (24, 32, 4)])
def test_photos_get_the_channels_that_the_net_takes(folder, shape):
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [keras.Input(shape), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(), layers.Dense(3)]
    )
    found = explain(Classifier(model), folder / "red.png")
    assert found.heatmaps.shape == (1, 24, 32)
    assert explain(Classifier(model), np.zeros((1, *shape))).figure()


def test_the_package_and_the_function_of_its_name_are_one():
    import convlens.explain.gradcam as by_path
    from convlens.explain import gradcam

    assert gradcam is by_path
    assert convlens.explain is explain
    assert set(convlens.__all__) <= {*dir(convlens), *convlens._PLACES}
    with pytest.raises(AttributeError, match="nothing"):
        convlens.nothing  # noqa: B018
