"""The masks of the drawings are the truth that heatmaps are measured against."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from convlens.data.drawn import picture
from convlens.data.drawn.animals import ANIMALS, Animal
from convlens.data.drawn.masks import PARTS, animal_mask, class_parts
from convlens.data.drawn.picture import draw

KEYS = [(label, index) for index in range(30) for label in ANIMALS]


@pytest.fixture(scope="module")
def drawings():
    return {key: draw(key[0], 7, "train", key[1], 150) for key in KEYS}


def share(mask: Image.Image, part: str) -> float:
    return float((np.asarray(mask) == PARTS[part]).mean())


def middle(mask: Image.Image, part: str) -> tuple[float, float]:
    rows, columns = np.nonzero(np.asarray(mask) == PARTS[part])
    return float(rows.mean()), float(columns.mean())


@pytest.mark.parametrize(
    ("part", "least", "most"),
    [
        ("head", 0.015, 0.40),
        ("ears", 0.005, 0.25),
        ("eyes", 0.001, 0.08),
        ("muzzle", 0.002, 0.12),
    ],
)
def test_every_face_is_visible_and_of_plausible_size(drawings, part, least, most):
    shares = [share(drawing.mask, part) for drawing in drawings.values()]
    assert least <= min(shares)
    assert max(shares) <= most


def test_parts_lie_where_they_belong(drawings):
    for (label, _), drawing in drawings.items():
        eyes, muzzle = middle(drawing.mask, "eyes"), middle(drawing.mask, "muzzle")
        assert eyes[0] < muzzle[0]
        if label in ("cat", "bear"):
            assert middle(drawing.mask, "ears")[0] < eyes[0]
        if share(drawing.mask, "tongue"):
            assert middle(drawing.mask, "tongue")[0] > muzzle[0]


def test_cats_and_rabbits_have_whiskers_and_any_animal_may_show_its_tongue(drawings):
    whiskers = {label: [] for label in ANIMALS}
    tongues = {label: [] for label in ANIMALS}
    for (label, _), drawing in drawings.items():
        whiskers[label].append(share(drawing.mask, "whiskers") > 0)
        tongues[label].append(share(drawing.mask, "tongue") > 0)
    assert all(whiskers["cat"] + whiskers["rabbit"])
    assert not any(whiskers["dog"] + whiskers["bear"])
    assert all(0 < sum(shown) < len(shown) for shown in tongues.values())


def test_tongues_are_pink(drawings):
    tongues = [
        np.asarray(drawing.image, float)[np.asarray(drawing.mask) == PARTS["tongue"]]
        for drawing in drawings.values()
        if share(drawing.mask, "tongue") > 0.002
    ]
    assert len(tongues) > 10
    assert all(pixels[:, 0].mean() > 1.15 * pixels[:, 1].mean() for pixels in tongues)


def test_masks_cover_exactly_what_the_animal_changes(monkeypatch):
    monkeypatch.setattr(picture.Canvas, "shadow", lambda *_: None)  # on the ground, not the animal
    monkeypatch.setattr(picture, "draw_occluder", lambda *_: None)
    whole = [draw(label, 7, "train", index, 150) for label, index in KEYS[:16]]
    monkeypatch.setattr(picture.Body, "draw", lambda _: None)
    headless = {label: Animal(lambda _: None, animal.tail) for label, animal in ANIMALS.items()}
    monkeypatch.setattr(picture, "ANIMALS", headless)
    for (label, index), drawing in zip(KEYS, whole, strict=False):
        empty = draw(label, 7, "train", index, 150)
        changed = (np.asarray(empty.image) != np.asarray(drawing.image)).any(axis=2)
        animal = animal_mask(drawing.mask, drawing.mask.width)
        assert not animal_mask(empty.mask, empty.mask.width).any()
        # The border of a shape covers some pixels by less than half, some at the picture's border.
        assert changed[~binary_dilation(animal, np.ones((3, 3)))].mean() < 0.0005
        assert changed[animal].mean() > 0.98


def test_what_an_occluder_hides_is_background(monkeypatch):
    visible = [draw(label, 7, "train", index, 150) for label, index in KEYS]
    monkeypatch.setattr(picture, "draw_occluder", lambda *_: None)
    hidden_somewhere = 0
    for (label, index), drawing in zip(KEYS, visible, strict=True):
        bare = draw(label, 7, "train", index, 150)
        with_it, without = np.asarray(drawing.mask), np.asarray(bare.mask)
        hidden = with_it != without
        assert (with_it[hidden] == PARTS["background"]).all()
        hidden_somewhere += hidden.any()
        changed = (np.asarray(bare.image) != np.asarray(drawing.image)).any(axis=2)
        assert changed[hidden].mean() > 0.95 if hidden.any() else True
    assert hidden_somewhere > len(KEYS) // 5


def test_class_parts_are_ears_and_muzzle_of_a_small_known_mask():
    size = len(PARTS)
    mask = Image.fromarray(np.tile(np.uint8(list(PARTS.values())), (size, 1)))
    names = np.array(list(PARTS))
    assert set(names[class_parts(mask, size)[0]]) == {"ears", "muzzle"}
    assert set(names[~animal_mask(mask, size)[0]]) == {"background"}
    # photos decoded at another size than the archive's still meet their masks
    assert set(names.repeat(2)[class_parts(mask, 2 * size)[0]]) == {"ears", "muzzle"}
