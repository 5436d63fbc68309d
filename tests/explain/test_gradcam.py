"""Class-activation heatmaps: conservation, planted patterns, relations, an independent oracle."""

import keras
import numpy as np
import pytest
from nets import seen

from convlens.errors import InputError
from convlens.explain import gradcam, layers
from convlens.explain.evidence import gather
from convlens.explain.gradcam import heatmaps

METHODS = ("grad-cam", "grad-cam++", "layer-cam", "hires-cam")


def test_sum_of_grad_cam_is_logit_minus_bias(gap_net, images):
    found = heatmaps(seen(gap_net), images, classes=1)
    bias = float(gap_net.get_layer("logit").bias.numpy()[0])
    expected = gap_net.predict(images, verbose=0)[:, 0] - bias
    np.testing.assert_allclose(found.raw.sum(axis=(1, 2)), expected, atol=1e-5)


def test_sum_of_hires_cam_is_the_score_of_a_piecewise_linear_net(flat_net, images):
    """Without biases behind the layer, sum(G A) = S by Euler's theorem, for any class."""
    model = keras.models.clone_model(flat_net)
    model.set_weights([w * (w.ndim > 1) for w in flat_net.get_weights()])
    for label in range(3):
        found = heatmaps(seen(model), images, classes=label, method="hires-cam")
        expected = model.predict(images, verbose=0)[:, label]
        np.testing.assert_allclose(found.raw.sum(axis=(1, 2)), expected, atol=1e-5)


def test_cat_evidence_is_minus_dog_evidence_and_never_overlaps(gap_net, images):
    cat, dog = (heatmaps(seen(gap_net), images, classes=label) for label in (0, 1))
    np.testing.assert_allclose(cat.raw, -dog.raw, atol=1e-7)
    assert not ((cat.raw > 0) & (dog.raw > 0)).any()
    assert (cat.raw > 0).any()
    assert (dog.raw > 0).any()


def test_hires_cam_is_grad_cam_behind_global_average_pooling(gap_net, images):
    first, second = (heatmaps(seen(gap_net), images, classes=1, method=m) for m in METHODS[::3])
    np.testing.assert_allclose(first.raw, second.raw, atol=1e-6)


def test_grad_cam_plus_plus_is_layer_cam_scaled_behind_global_average_pooling(gap_net, images):
    """There G is constant a channel: both weight the maps with relu(G)."""
    plus, layer = (heatmaps(seen(gap_net), images, classes=1, method=m) for m in METHODS[1:3])
    np.testing.assert_allclose(plus.raw, layer.raw, atol=1e-6)


def test_layer_cam_holds_back_no_positive_evidence(flat_net, images):
    layer, hires = (heatmaps(seen(flat_net), images, classes=1, method=m) for m in METHODS[2:])
    assert (layer.raw >= hires.raw - 1e-6).all()
    assert (layer.raw >= 0).all()


@pytest.mark.parametrize(("top", "left"), [(0, 0), (2, 17), (10, 10), (19, 3), (20, 20)])
@pytest.mark.parametrize("method", METHODS)
def test_planted_pattern_is_found_wherever_it_is(detector, method, top, left):
    image = np.full((1, 24, 24, 3), 90, np.uint8)
    image[0, top : top + 4, left : left + 4] = (255, 0, 0)
    found = heatmaps(seen(detector), image, method=method)
    assert found.classes == [1]
    y, x = np.unravel_index(found.maps[0].argmax(), (24, 24))
    assert top - 1 <= y <= top + 4
    assert left - 1 <= x <= left + 4
    outside = found.maps[0].copy()
    outside[max(0, top - 4) : top + 8, max(0, left - 4) : left + 8] = 0
    assert outside.sum() == 0


def test_two_patterns_argue_for_two_classes(detector):
    image = np.full((1, 24, 24, 3), 90, np.uint8)
    image[0, 3:7, 3:7], image[0, 16:20, 16:20] = (255, 0, 0), (0, 0, 255)
    dog, cat = (heatmaps(seen(detector), image, classes=label).maps[0] for label in (1, 0))
    assert dog[:12, :12].sum() > 0.99 * dog.sum() > 0
    assert cat[12:, 12:].sum() > 0.99 * cat.sum() > 0


@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2"])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_grad_cam_agrees_with_tf_keras_vis(flat_net, images, layer, label):
    vis = pytest.importorskip("tf_keras_vis.gradcam")
    theirs = vis.Gradcam(flat_net, clone=True)(
        lambda output: output[:, label],
        images.astype(np.float32),
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    found = heatmaps(seen(flat_net), images, layer=layer, classes=label)
    np.testing.assert_allclose(np.maximum(found.raw, 0), theirs, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2"])
def test_no_weight_of_grad_cam_plus_plus_is_negative(flat_net, images, layer):
    """An alpha is negative only where the gradient is, and those places do not count."""
    found = gather(seen(flat_net), images, (), [layer])
    weights = np.asarray(gradcam._weights("grad-cam++", found.maps[layer], found.gradients[layer]))
    assert weights.min() >= 0
    assert weights.max() > 0


def test_batches_do_not_change_the_maps_and_classes_may_differ(flat_net, images):
    labels = np.array([0, 1, 2, 1, 0])
    whole = heatmaps(seen(flat_net), images, classes=labels, batch_size=5)
    parts = heatmaps(seen(flat_net), images, classes=labels, batch_size=2)
    np.testing.assert_allclose(whole.raw, parts.raw, atol=1e-6)
    np.testing.assert_array_equal(parts.classes, labels)
    alone = heatmaps(seen(flat_net), images[2:3], classes=2)
    np.testing.assert_allclose(parts.raw[2], alone.raw[0], atol=1e-6)


def test_predicted_class_and_its_probability(flat_net, images):
    found = heatmaps(seen(flat_net), images)
    logits = flat_net.predict(images, verbose=0).astype(np.float64)
    np.testing.assert_array_equal(found.classes, logits.argmax(axis=1))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, softmax.max(axis=1), rtol=1e-5)


def test_maps_are_in_0_1_with_maximum_1_unless_empty(flat_net, images):
    for method in METHODS:
        found = heatmaps(seen(flat_net), images, method=method)
        assert found.maps.shape == (5, 24, 24)
        assert found.maps.dtype == np.float32
        assert found.maps.min() >= 0
        np.testing.assert_array_equal(found.maps.max(axis=(1, 2)), ~found.empty)


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("method", METHODS)
def test_constant_image_gives_no_nan(gap_net, detector, method, level):
    image = np.full((1, 24, 24, 3), level, np.uint8)
    assert np.isfinite(heatmaps(seen(gap_net), image, method=method).maps).all()
    found = heatmaps(seen(detector), image, classes=1, method=method)
    assert found.empty.tolist() == [True]
    assert not found.maps.any()


def test_unknown_layer_names_those_that_exist(gap_net, images):
    with pytest.raises(InputError, match="conv1, pool1, conv2"):
        heatmaps(seen(gap_net), images, layer="conv9")
    with pytest.raises(InputError, match="no height and width"):
        heatmaps(seen(gap_net), images, layer="average")


@pytest.mark.parametrize("label", [-1, 2, 3])
def test_unknown_class_is_refused(gap_net, images, label):
    with pytest.raises(InputError, match="from 0 to 1"):
        heatmaps(seen(gap_net), images, classes=label)


def test_any_layer_with_maps_will_do(gap_net, images):
    for layer in ("rescaling", "conv1", "pool1"):
        assert heatmaps(seen(gap_net), images, layer=layer).maps.shape == (5, 24, 24)


def test_convolutions_and_poolings_in_order(gap_net):
    assert layers.spatial(seen(gap_net)) == ["conv1", "pool1", "conv2"]
    assert layers.convolutions(seen(gap_net)) == ["conv1", "conv2"]
