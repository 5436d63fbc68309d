"""Activation grids, to the pixel."""

import matplotlib as mpl
import numpy as np
import pytest

from convlens.gallery import grids, sheet, style

GREY = np.array([0x9A, 0xA5, 0xB1])


def test_classic_normalisation_by_hand():
    maps = np.zeros((2, 2, 2), np.float32)
    maps[..., 0] = [[0, 0], [2, 2]]  # mean 1, std 1: levels 64 and 192
    maps[..., 1] = [[0, 0], [0, 400]]  # √3 std above the mean: 128 + 110.85
    tiles = grids.classic(maps)
    np.testing.assert_array_equal(tiles.levels[..., 0], [[64, 64], [192, 192]])
    np.testing.assert_array_equal(tiles.levels[..., 1], [[91, 91], [91, 238]])
    assert not tiles.dead.any()


def test_far_outliers_are_clipped():
    maps = np.zeros((30, 30, 1), np.float32)
    maps[0, 0], maps[1, 1] = 1000, -1000
    levels = grids.classic(maps).levels[..., 0]
    assert levels[0, 0] == 255
    assert levels[1, 1] == 0


@pytest.mark.parametrize("bad", [0.0, -3.5, 1e6, np.nan, np.inf])
def test_constant_and_broken_channels_are_dead_and_grey(bad):
    maps = np.random.default_rng(0).random((4, 4, 3)).astype(np.float32)
    maps[..., 1] = bad
    with np.errstate(all="raise"):
        picture, dead = grids.compose(maps)
    assert dead == 1
    side = (picture.shape[1] - 2 * sheet.GAP) // 3
    middle = picture[:, side + sheet.GAP : 2 * side + sheet.GAP]
    assert (middle == GREY).all()
    assert not (picture[:, :side] == GREY).all(axis=-1).any()


@pytest.mark.parametrize("colormap", ["viridis", "plasma"])
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 64, 100, 1000])
@pytest.mark.parametrize("size", [(3, 3), (5, 2), (120, 7)])
def test_every_channel_stands_once_at_its_place(count, size, colormap):
    maps = np.random.default_rng(count).random((*size, count)).astype(np.float32)
    picture, dead = grids.compose(maps, colormap)
    assert dead == 0
    columns, rows = min(count, 16), -(-count // 16)
    high = (picture.shape[0] + sheet.GAP) // rows - sheet.GAP
    wide = (picture.shape[1] + sheet.GAP) // columns - sheet.GAP
    times = high // size[0]
    assert (high, wide) == (size[0] * times, size[1] * times)
    table = np.round(mpl.colormaps[colormap](np.arange(256))[:, :3] * 255).astype(np.uint8)
    expected = table[grids.classic(maps).levels]
    seen = np.zeros(picture.shape[:2], bool)
    for index in range(count):
        top, left = index // 16 * (high + sheet.GAP), index % 16 * (wide + sheet.GAP)
        cell = picture[top : top + high, left : left + wide]
        np.testing.assert_array_equal(cell[::times, ::times], expected[:, :, index])
        seen[top : top + high, left : left + wide] = True
    assert (picture[~seen] == 255).all()


@pytest.mark.parametrize("count", [1, 3, 17, 100])
@pytest.mark.parametrize("size", [(9, 9), (150, 150), (7, 30)])
def test_the_figure_shows_the_picture_pixel_for_pixel(drawn, count, size):
    maps = np.random.default_rng(0).random((*size, count)).astype(np.float32)
    maps[..., 0] = 0
    picture, _ = grids.compose(maps)
    page = drawn(grids.activation_grid(maps, "conv1"))
    high, wide = picture.shape[:2]
    corners = np.argwhere((page == GREY).all(axis=-1))
    top, left = corners[0]
    np.testing.assert_array_equal(page[top : top + high, left : left + wide], picture)


@pytest.mark.parametrize("count", [1, 16, 40, 1000])
def test_no_text_is_cut_off_or_covered(drawn, count):
    maps = np.random.default_rng(0).random((8, 8, count)).astype(np.float32)
    maps[..., 0] = 0
    figure = grids.activation_grid(maps, "block5_conv3")
    drawn(figure)
    page = figure.bbox
    texts = [t for t in figure.findobj(mpl.text.Text) if t.get_text() and t.get_visible()]
    boxes = [text.get_window_extent() for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
        assert inside, text
    for number, first in enumerate(boxes):
        assert not any(first.overlaps(second) for second in boxes[number + 1 :]), texts[number]
        grid = figure.axes[0].get_window_extent()
        assert not first.overlaps(grid), texts[number]


def test_dead_channels_are_counted_in_the_title():
    maps = np.zeros((4, 4, 20), np.float32)
    maps[0, 0, :13] = 1
    titles = [text.get_text() for text in grids.activation_grid(maps, "pool3").texts]
    assert "pool3: 20 channels, 7 dead" in titles


def test_overview_has_a_row_a_layer_and_shows_small_and_large_maps():
    draw = np.random.default_rng(0)
    maps = {"conv1": draw.random((200, 200, 32)), "conv2": draw.random((5, 5, 3))}
    figure = grids.overview(maps, "both", photo=np.zeros((20, 30, 3), np.uint8))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["conv1\n200 × 200 × 32", "conv2\n5 × 5 × 3"]
    picture = figure.artists[0].array
    assert picture.shape[0] == 2 * grids.CELL + sheet.GAP


def test_png_bytes_are_equal_twice_and_figures_are_cleared(tmp_path):
    maps = np.random.default_rng(0).random((9, 9, 20)).astype(np.float32)
    figures = [grids.activation_grid(maps, "conv1") for _ in range(2)]
    paths = [style.save(f, tmp_path / f"{i}.png") for i, f in enumerate(figures)]
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert not figures[0].axes


def test_a_layer_wider_than_vgg16_s_shows_its_first_channels_and_says_so():
    maps = np.random.default_rng(0).normal(size=(2, 2, grids.MOST + 1))
    titles = [text.get_text() for text in grids.activation_grid(maps, "wide").texts]
    assert any("wide: the first 512 of 513 channels" in title for title in titles)
