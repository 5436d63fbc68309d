"""One pass for everything gives what the layers one by one give."""

import numpy as np
import pytest

from convlens.errors import InputError
from convlens.explain.activations import activations
from convlens.explain.gradcam import heatmaps
from convlens.explain.one_pass import one_pass

LAYERS = ["conv1", "pool1", "conv2"]
METHODS = ("grad-cam", "grad-cam++", "layer-cam", "hires-cam")


@pytest.mark.parametrize("name", ["gap_net", "flat_net"])
def test_maps_and_heatmaps_are_those_of_each_layer_alone(request, images, name):
    model = request.getfixturevalue(name)
    run = one_pass(model, LAYERS, LAYERS)
    for image in images[:2]:
        found = run(image)
        expected = activations(model, image[None], LAYERS)
        for layer in LAYERS:
            np.testing.assert_allclose(found.maps[layer], expected[layer][0], atol=1e-5)
            for method in METHODS:
                alone = heatmaps(model, image[None], layer=layer, method=method)
                got = found.heatmap(layer, method)
                np.testing.assert_allclose(got, alone.maps[0], atol=1e-4)
        assert found.label == alone.classes[0]
        assert found.probability == pytest.approx(alone.probabilities[0], rel=1e-5)


def test_the_evidence_against_is_the_other_class_s_map(gap_net, images):
    found = one_pass(gap_net, [], ["conv2"])(images[0])
    for method in METHODS:
        other = heatmaps(gap_net, images[:1], method=method, classes=1 - found.label)
        got = found.heatmap("conv2", method, against=True)
        np.testing.assert_allclose(got, other.maps[0], atol=1e-4)


def test_an_unknown_layer_is_refused_when_asked_for(gap_net):
    with pytest.raises(InputError, match="conv1, pool1, conv2"):
        one_pass(gap_net, ["conv1"], ["conv7"])
