"""The table of nets: each row against its reference, joint nets as the sum of their parts."""

import http.server
import sys
import threading
from functools import partial

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import mobilenet_v2
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from convlens import params
from convlens.errors import InputError
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import heatmaps
from convlens.models import backbone, keras_application, registry

SIDE = 64
IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """MobileNetV2 with random weights, and Keras' download site as a local server that has it."""
    net = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(SIDE,) * 2 + (3,)
    )
    (tmp_path / "site").mkdir()
    (tmp_path / "keras").mkdir()  # else Keras falls back to /tmp
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    with h5py.File(tmp_path / "site" / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, net)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", address)
        monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path / "keras"))
        yield net
        server.shutdown()


def test_a_keras_application_comes_with_keras_weights_and_its_own_preprocessing(served, tmp_path):
    source = registry.fetch("keras:MobileNetV2", tmp_path / "base.npz")
    assert "Keras" in source
    base = backbone.base("keras:MobileNetV2", tmp_path / "base.npz", "caffe", SIDE)
    expected = served(mobilenet_v2.preprocess_input(IMAGES.copy()))
    np.testing.assert_allclose(base(IMAGES), expected, rtol=1e-3, atol=1e-4)


def test_weights_that_cannot_be_had_are_one_message(monkeypatch, tmp_path):
    (tmp_path / "keras").mkdir()
    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path / "keras"))
    with pytest.raises(InputError, match="keras:MobileNetV2"):
        registry.fetch("keras:MobileNetV2", tmp_path / "base.npz")
    assert not (tmp_path / "base.npz").exists()


NAMES = ["ResNet50", "ResNet50V2", "MobileNetV2", "DenseNet121", "EfficientNetB0", "Xception"]


@pytest.mark.parametrize("name", NAMES)
def test_what_its_preprocessing_does_is_found_by_asking(name):
    scale, offset, swaps = keras_application.preprocessing(name)
    ask = sys.modules[getattr(keras.applications, name).__module__].preprocess_input
    expected = np.asarray(ask(IMAGES.copy()))
    found = IMAGES * scale + offset
    np.testing.assert_allclose(found[..., ::-1] if swaps else found, expected, atol=1e-4)


def test_a_net_that_wants_bgr_gets_its_first_kernel_turned(monkeypatch):
    def tiny(weights, input_tensor=None, input_shape=(SIDE, SIDE, 3), *, include_top=False):
        assert not include_top
        assert weights in (None, "imagenet")
        given = keras.Input(input_shape) if input_tensor is None else input_tensor
        maps = keras.layers.Conv2D(2, 3, kernel_initializer=keras.initializers.RandomNormal(seed=1))
        return keras.Model(keras.utils.get_source_inputs(given), maps(given))

    tiny.__module__ = "keras.src.applications.resnet"
    monkeypatch.setattr(keras.applications, "ResNet50", tiny)
    theirs = tiny(None)
    ask = sys.modules[tiny.__module__].preprocess_input
    ours = keras.Model(
        photo := keras.Input((SIDE, SIDE, 3)), keras_application.maps("ResNet50", photo)
    )
    ours.set_weights(keras_application.fetch("ResNet50", None).get_weights())
    np.testing.assert_allclose(ours(IMAGES), theirs(ask(IMAGES.copy())), rtol=1e-3, atol=1e-2)


def test_lite0_s_maps_are_those_of_the_whole_net(lite0, tmp_path):
    registry.fetch("efficientnet-lite0", tmp_path / "base.npz")
    side = lite0.input_shape[1]
    base = backbone.base("efficientnet-lite0", tmp_path / "base.npz", "caffe", side)
    photo = np.random.default_rng(1).integers(0, 256, (1, side, side, 3)).astype(np.float32)
    whole = keras.Model(lite0.input, lite0.get_layer("top_relu").output)
    np.testing.assert_allclose(base(photo), whole(photo), rtol=1e-4, atol=1e-5)


def test_a_joint_net_s_heatmap_is_the_sum_of_both_nets_evidence_for_the_logit(root):
    net = "vgg16+efficientnet-lite0"
    photo = keras.Input((SIDE, SIDE, 3), name="image")
    base = keras.Model(photo, registry.find(net).maps(photo, "caffe"))
    linear = {"units": 0, "pooling": "average"}
    head = params.load(root / "params.yaml").vgg16.model_copy(update=linear)
    model = backbone.whole(base, head, 2)
    classifier = Classifier(model, ["cat", "dog"])
    assert classifier.default_layer == "maps"
    found = heatmaps(classifier, IMAGES, classes=1)
    kernel, bias = model.get_layer("logit").get_weights()
    ends = ("block5_pool", "vgg16", 0, 512), ("top_relu", "efficientnet-lite0", 512, 512 + 1280)
    evidence = sum(
        np.asarray(keras.Model(photo, base.get_layer(layer).output)(IMAGES)) @ kernel[a:b, 0]
        / registry.find(part).spread
        for layer, part, a, b in ends
    )  # fmt: skip
    cells = evidence[0].size
    np.testing.assert_allclose(found.raw, evidence / cells, rtol=1e-3, atol=1e-5)
    logits = np.asarray(model(IMAGES))[:, 0]
    np.testing.assert_allclose(found.raw.sum(axis=(1, 2)), logits - bias, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ("resnet", "keras:NAME"),
        ("keras:ResNet5O", "ResNet50"),
        ("convnet+vgg16", "learned from ImageNet"),
        ("vgg16+vgg16", "twice"),
    ],
)
def test_a_net_that_is_none_is_refused_with_those_that_are(net, said, tmp_path):
    with pytest.raises(InputError, match=said):
        registry.fetch(net, tmp_path / "base.npz")


def test_weights_of_another_net_and_layers_that_are_bypassed_are_refused(tmp_path):
    registry.fetch("convnet", tmp_path / "base.npz")
    with pytest.raises(InputError, match="no stem_conv/kernel"):
        backbone.base("efficientnet-lite0", tmp_path / "base.npz", "caffe", SIDE)
    photo = keras.Input((SIDE, SIDE, 3))
    base = keras.Model(photo, registry.find("efficientnet-lite0").maps(photo, "caffe"))
    with pytest.raises(InputError, match="top_conv"):
        backbone.maps_of(base, "block7a_expand_relux")
    with pytest.raises(InputError, match="all behind it goes through"):
        backbone.maps_of(base, "block6c_expand_relu")  # the block's input goes around it
