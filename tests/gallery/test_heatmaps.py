"""Heatmaps on photos, galleries, filters and the curves."""

import numpy as np
import pytest

from convlens.gallery import heatmaps as figures
from convlens.gallery import style
from convlens.gallery.channels import large
from convlens.gallery.depth import depth_curves
from convlens.gallery.faithfulness import removal
from convlens.gallery.filters import filter_grid, kernel_grid
from convlens.gallery.heatmaps import Look
from convlens.gallery.imagenet import top_guesses
from convlens.gallery.rows import Picture, in_rows
from convlens.text import says


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)


@pytest.fixture
def heat():
    found = np.zeros((5, 5), np.float32)
    found[1, 3] = 1
    return found


def test_overlay_has_colour_only_where_there_is_heat(photo, heat):
    grey = np.full_like(photo, 120)
    found = figures.overlay(grey, heat)
    assert found.shape == photo.shape
    colour = np.ptp(found.astype(int), axis=2)
    hottest = np.unravel_index(colour.argmax(), colour.shape)
    assert abs(hottest[0] - 8.5) <= 2
    assert abs(hottest[1] - 27.5) <= 3
    assert colour[20:].max() == 0
    assert (found[20:] < 120).all()


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.971, "dog, 97.1 %"), (1.0, "dog, > 99.9 %"), (0.99949, "dog, 99.9 %"),
     (0.0, "dog, < 0.1 %"), (0.5, "dog, 50.0 %")],
)  # fmt: skip
def test_no_network_claims_certainty(probability, text):
    assert says("dog", probability) == text


def texts(figure):
    return "\n".join(text.get_text() for text in figure.texts)


def test_empty_map_is_marked(photo):
    nothing = Look(np.zeros((5, 5), np.float32), "cat, 80.0 %")
    assert "no evidence found" in texts(figures.panels([photo], [nothing], "h"))
    assert "cat, 80.0 %: no evidence" in texts(figures.views([photo], [[nothing]], "h"))


def test_panels_show_class_probability_photo_heatmap_and_overlay(photo, heat):
    figure = figures.panels([photo, photo], [Look(heat, "dog, 90.0 %")] * 2, "convnet")
    assert texts(figure).count("dog, 90.0 %") == 2
    shown = [np.asarray(image.get_array()) for image in figure.artists[:3]]
    np.testing.assert_array_equal(shown[0], photo)
    np.testing.assert_array_equal(shown[1], figures.coloured(heat, 30, 40, "viridis"))
    np.testing.assert_array_equal(shown[2], figures.overlay(photo, heat))


def test_both_models_meet_only_where_both_look(photo, heat):
    other = heat[::-1, ::-1].copy()
    looks = {"convnet": Look(heat, "cat, 60.0 %"), "vgg16": Look(other, "dog, 70.0 %")}
    figure = figures.both_models(photo, looks, {"correlation": -0.2, "overlap": 0.1}, "h")
    assert "correlation -0.20" in texts(figure)
    meeting = np.asarray(figure.artists[3].get_array())
    np.testing.assert_array_equal(meeting, figures.overlay(photo, np.zeros_like(heat)))


@pytest.mark.parametrize("shape", [(10, 60), (60, 10), (30, 30)])
@pytest.mark.parametrize("columns", [1, 3, 7])
def test_gallery_titles_neither_overlap_nor_leave_the_page(drawn, shape, columns):
    image = np.zeros((*shape, 3), np.uint8)
    title = "block5_conv3, channel 511, with a long explanation that must be wrapped somewhere"
    rows = [[Picture(image, title)] * columns, [Picture(image, "short")] * columns]
    figure = in_rows(rows, "A heading " * 12, "A note that goes on " * 15)
    drawn(figure)
    boxes = [text.get_window_extent() for text in figure.texts]
    pictures = [image.get_window_extent() for image in figure.artists]
    assert len(pictures) == 2 * columns
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[number + 1 :] + pictures)


def test_gallery_keeps_the_aspect_of_every_picture(drawn):
    images = [np.zeros((10, 30, 3), np.uint8), np.zeros((50, 20, 3), np.uint8)]
    figure = in_rows([[Picture(image) for image in images]], "h")
    drawn(figure)
    for shown, image in zip(figure.artists, images, strict=True):
        box = shown.get_window_extent()
        assert box.height / box.width == pytest.approx(image.shape[0] / image.shape[1], rel=0.01)


def test_filters_that_did_not_move_are_framed_and_counted():
    images = np.full((10, 40, 40, 3), 128, np.uint8)
    moved = np.ones(10, bool)
    moved[3] = False
    figure = filter_grid(images, np.arange(10), moved, "conv2", np.where(moved, 2.0, 0.0))
    assert "did not move (1)" in texts(figure)
    picture = figure.artists[0].array
    framed = (picture == [0xD5, 0x5E, 0x00]).all(axis=-1)
    columns = np.flatnonzero(framed.any(axis=0))
    width = (picture.shape[1] + 2) // 8
    assert columns.min() == 3 * width
    assert columns.max() == 4 * width - 3


def test_kernels_are_shown_with_grey_as_zero():
    kernels = np.zeros((3, 3, 3, 2), np.float32)
    kernels[0, 0, 0, 0], kernels[2, 2, :, 1] = 0.5, -0.1
    picture = kernel_grid(kernels, "conv1").artists[0].array
    assert picture[0, 0].tolist() == [255, 128, 128]
    assert picture[95, -1].tolist() == [0, 0, 0]
    assert picture[50, 50].tolist() == [128, 128, 128]


def test_every_figure_gives_equal_bytes_twice(tmp_path, photo, heat):
    draw = np.random.default_rng(0)
    curves = {k: {o: draw.random((4, 5)) for o in ("heatmap", "random", "gaussian")}
              for k in ("deletion", "insertion")}  # fmt: skip
    row = {"layer": "conv1", "channels": 3, "height": 4, "width": 4, "sparsity": 0.5, "dead": 0.1,
           "receptive_field": 3, "effective_field": 2.5}  # fmt: skip
    look = Look(heat, "dog, 90.0 %")
    makers = {
        "panels": lambda: figures.panels([photo], [look], "h"),
        "views": lambda: figures.views([photo], [[look] * 5], "h"),
        "large": lambda: large(photo, {"conv1": (3, heat), "conv2": (1, heat * 0)}, "h"),
        "depth": lambda: depth_curves([row, row | {"layer": "pool1"}], "convnet", 150),
        "removal": lambda: removal(curves, "h"),
        "guesses": lambda: top_guesses(photo, look, [("Labrador retriever", 0.699)] * 5, "h"),
    }
    for name, make in makers.items():
        first, second = (style.save(make(), tmp_path / f"{name}{i}.png") for i in range(2))
        assert first.read_bytes() == second.read_bytes(), name


def test_a_dollar_in_a_name_is_a_dollar(photo, heat, tmp_path):
    figure = figures.panels([photo], [Look(heat, "dog, 97.1 %")], "a$_$b: cost $5 $6")
    assert style.save(figure, tmp_path / "a.png").stat().st_size > 1000
