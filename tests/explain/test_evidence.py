"""One pass for everything gives what the layers one by one give."""

import numpy as np
import pytest
from nets import seen

from convlens.errors import InputError
from convlens.explain.evidence import gather
from convlens.explain.gradcam import class_activation, heatmaps

LAYERS = ["conv1", "pool1", "conv2"]
METHODS = ("grad-cam", "grad-cam++", "layer-cam", "hires-cam")


@pytest.mark.parametrize("name", ["gap_net", "flat_net"])
def test_maps_and_heatmaps_are_those_of_each_layer_alone(request, images, name):
    net = seen(request.getfixturevalue(name))
    found = gather(net, images[:2], LAYERS, LAYERS)
    expected = gather(net, images[:2], LAYERS).maps
    for layer in LAYERS:
        np.testing.assert_allclose(found.maps[layer], expected[layer], atol=1e-5)
        for method in METHODS:
            alone = heatmaps(net, images[:2], layer=layer, method=method)
            got = class_activation(found, layer, method)
            np.testing.assert_allclose(got.raw, alone.raw, atol=1e-6)
            np.testing.assert_array_equal(got.classes, alone.classes)
    chosen = found.probabilities[[0, 1], found.classes]
    np.testing.assert_allclose(chosen, alone.probabilities, rtol=1e-6)


def test_the_other_class_of_one_logit_needs_no_second_pass(gap_net, images):
    found = gather(seen(gap_net), images, (), ["conv2"])
    for method in METHODS:
        for label in (0, 1):
            alone = heatmaps(seen(gap_net), images, method=method, classes=label)
            got = class_activation(found, "conv2", method, label)
            np.testing.assert_allclose(got.raw, alone.raw, atol=1e-6)
            assert set(got.classes) == {label}


def test_another_class_than_the_pass_followed_back_is_refused(flat_net, images):
    found = gather(seen(flat_net), images, (), ["conv2"], classes=1)
    assert class_activation(found, "conv2", "grad-cam", 1).raw.any()
    with pytest.raises(InputError, match="that the gradients are of"):
        class_activation(found, "conv2", "grad-cam", 2)


def test_an_unknown_layer_is_refused_when_asked_for(gap_net, images):
    with pytest.raises(InputError, match="conv1, pool1, conv2"):
        gather(seen(gap_net), images, ["conv1"], ["conv7"])
