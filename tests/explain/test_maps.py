"""Arithmetic of heatmaps."""

import numpy as np
import pytest

from convlens.explain.maps import agreement, normalise, place, resize
from convlens.explain.windows import Geometry


@pytest.mark.parametrize(
    ("size", "target"), [((7, 5), (150, 90)), ((4, 4), (4, 4)), ((1, 1), (9, 3))]
)
def test_resize_is_tensorflows_bilinear(size, target):
    import tensorflow as tf

    maps = np.random.default_rng(0).random((3, *size)).astype(np.float32)
    expected = tf.image.resize(maps[..., None], target, "bilinear").numpy()[..., 0]
    np.testing.assert_allclose(resize(maps, *target), expected, atol=1e-6)


def test_placed_unit_peaks_where_it_looks():
    maps = np.zeros((1, 5, 5), np.float32)
    maps[0, 2, 3] = 1
    axis = Geometry(18, 8, 18.0)
    placed = place(maps, 60, 60, (axis, axis))[0]
    assert np.unravel_index(placed.argmax(), placed.shape) == (18 + 2 * 8, 18 + 3 * 8)
    assert placed.max() == 1


def test_normalise_scales_to_one_and_flags_what_has_no_evidence():
    maps = np.array([[[-1.0, 2.0], [4.0, 0.0]], [[-1.0, -2.0], [0.0, -3.0]]])
    found, empty = normalise(maps)
    np.testing.assert_array_equal(found[0], [[0, 0.5], [1, 0]])
    assert empty.tolist() == [False, True]
    assert not found[1].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_normalise_never_lets_nan_or_infinity_through(bad):
    maps = np.ones((1, 2, 2))
    maps[0, 0, 0] = bad
    assert np.isfinite(normalise(maps)[0]).all()


def test_agreement_of_equal_opposite_and_constant_maps():
    ramp = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    assert agreement(ramp, ramp) == pytest.approx({"correlation": 1.0, "overlap": 1.0})
    assert agreement(ramp, 1 - ramp) == pytest.approx({"correlation": -1.0, "overlap": 0.0})
    assert agreement(ramp, np.zeros_like(ramp)) == {"correlation": 0.0, "overlap": 0.0}


def test_agreement_of_unrelated_maps_is_what_the_figure_says_of_chance():
    draw = np.random.default_rng(0).random((2, 300, 300)).astype(np.float32)
    found = agreement(*draw)
    assert abs(found["correlation"]) < 0.02
    assert found["overlap"] == pytest.approx(0.11, abs=0.01)
