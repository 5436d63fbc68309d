"""Views: right geometry, and a function of (seed, epoch, index) alone."""

import numpy as np
import pytest
import tensorflow as tf

from convlens.data import augment
from convlens.params import AugmentParams

SIDE = 21
NONE = AugmentParams(
    rotation=0, shift=0, shear=0, zoom=0, flip=False, brightness=0, contrast=0, colour=0
)


def view(image, u, params):
    views = augment.warp(image[None], augment.transforms(u, params, image.shape[0]))
    return augment.relight(views, augment.photometric(u, params)).numpy()[0]


def extreme(**columns):
    """One row of draws that is neutral but for the named columns."""
    u = np.full((1, 11), 0.5)
    names = ["rotation", "shift_x", "shift_y", "shear", "zoom", "flip", "brightness", "contrast"]
    for name, value in columns.items():
        u[0, names.index(name)] = value
    return u


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def test_all_strengths_zero_is_the_identity(image):
    u = augment.draws(1, 0, 1)
    np.testing.assert_allclose(view(image, u, NONE), image, atol=1e-3)


def test_rotation_by_90_degrees_equals_numpy(image):
    params = NONE.model_copy(update={"rotation": 90.0})
    turned = view(image, extreme(rotation=1.0), params)
    np.testing.assert_array_equal(turned, np.rot90(image))


def test_flip_mirrors_left_and_right(image):
    params = NONE.model_copy(update={"flip": True})
    np.testing.assert_allclose(view(image, extreme(flip=0.0), params), image[:, ::-1], atol=1e-3)
    np.testing.assert_allclose(view(image, extreme(flip=0.9), params), image, atol=1e-3)


def test_shift_moves_by_its_share_of_the_side_and_reflects(image):
    params = NONE.model_copy(update={"shift": 1 / SIDE})
    moved = view(image, extreme(shift_x=1.0), params)
    np.testing.assert_allclose(moved[:, :-1], image[:, 1:], atol=1e-2)
    np.testing.assert_allclose(moved[:, -1], image[:, -1], atol=1e-2)  # reflected edge


def test_zoom_doubles_a_centred_square():
    image = np.zeros((41, 41, 3), np.uint8)
    image[15:26, 15:26] = 200  # 11 pixels wide
    params = NONE.model_copy(update={"zoom": 0.5})
    width = (view(image, extreme(zoom=1.0), params)[20, :, 0] > 100).sum()
    assert width == pytest.approx(11 * 1.5, abs=1)


def test_shear_keeps_the_centre_and_area():
    image = np.zeros((61, 61, 3), np.uint8)
    image[20:41, 20:41] = 100
    sheared = view(image, extreme(shear=1.0), NONE.model_copy(update={"shear": 20.0}))[..., 0]
    rows, columns = np.mgrid[:61, :61]
    assert sheared.sum() == pytest.approx(image[..., 0].sum(), rel=0.02)
    assert (sheared * rows).sum() / sheared.sum() == pytest.approx(30, abs=0.1)
    assert (sheared * columns).sum() / sheared.sum() == pytest.approx(30, abs=0.1)
    assert not np.allclose(sheared, image[..., 0])


def test_brightness_scales_and_contrast_keeps_the_mean():
    image = np.full((8, 8, 3), 100, np.uint8)
    image[:4] = 60
    bright = view(image, extreme(brightness=1.0), NONE.model_copy(update={"brightness": 0.2}))
    np.testing.assert_allclose(bright, image * 1.2, rtol=1e-5)
    strong = view(image, extreme(contrast=1.0), NONE.model_copy(update={"contrast": 0.5}))
    assert strong.mean() == pytest.approx(image.mean(), rel=1e-5)
    assert np.ptp(strong) == pytest.approx(1.5 * 40, rel=1e-4)


def test_a_view_depends_on_seed_epoch_and_index_only():
    many, few = augment.draws(3, 5, 100), augment.draws(3, 5, 7)
    np.testing.assert_array_equal(augment.draws(3, 5, 40, first=60), many[60:])
    stream = np.random.default_rng([3, 5, 11])  # the numbers that every result so far was made with
    np.testing.assert_array_equal(many, stream.random((100, 11)))
    np.testing.assert_array_equal(many[:7], few)
    assert not np.array_equal(augment.draws(3, 6, 7), few)
    assert not np.array_equal(augment.draws(4, 5, 7), few)


def test_any_transform_equals_tensorflows_own(image):
    params = NONE.model_copy(update={"rotation": 40.0, "shift": 0.2, "shear": 9.0, "zoom": 0.3})
    images = np.stack([image] * 50)
    geometry = augment.transforms(augment.draws(1, 1, 50), params, SIDE)
    expected = tf.raw_ops.ImageProjectiveTransformV3(
        images=images.astype(np.float32),
        transforms=np.pad(geometry.reshape(-1, 6), [(0, 0), (0, 2)]).astype(np.float32),
        output_shape=(SIDE, SIDE), fill_value=0.0, interpolation="BILINEAR", fill_mode="REFLECT",
    )  # fmt: skip
    np.testing.assert_allclose(augment.warp(images, geometry), expected, atol=0.51)
