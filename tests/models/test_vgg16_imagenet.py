"""The original VGG16: Keras' file read like Keras reads it, any other file refused."""

import keras
import numpy as np
import pytest
from test_weights import write_h5

from convlens.errors import InputError
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import heatmaps
from convlens.models import vgg16_imagenet, weights
from convlens.models.vgg16 import CONVOLUTIONS

SIDE = 32  # with 25 times fewer weights in fc1 than at 224 pixels


@pytest.fixture(scope="module")
def keras_net() -> keras.Model:
    """Keras' own VGG16 with random weights."""
    keras.utils.set_random_seed(0)
    return keras.applications.VGG16(
        weights=None, input_shape=(SIDE, SIDE, 3), classes=1000, classifier_activation=None
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory, keras_net):
    """Its weights in the layout of Keras' file."""
    path = tmp_path_factory.mktemp("weights") / vgg16_imagenet.FILE
    names = (*CONVOLUTIONS, *vgg16_imagenet.DENSE)
    write_h5(path, {name: keras_net.get_layer(name).get_weights() for name in names})
    return path


@pytest.fixture
def accepted(monkeypatch, path):
    """Take the random weights for the real ones."""
    with path.open("rb") as source:
        md5 = vgg16_imagenet.hashlib.file_digest(source, "md5").hexdigest()
    monkeypatch.setattr(vgg16_imagenet, "MD5", md5)
    monkeypatch.setattr(weights, "DIGEST", weights.digest(weights.read(path)))


@pytest.mark.usefixtures("accepted")
def test_it_gives_the_logits_of_keras_and_can_be_explained(path, keras_net):
    model = vgg16_imagenet.load(vgg16_imagenet.find(str(path)), SIDE)
    images = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.float32)
    expected = keras_net(keras.applications.vgg16.preprocess_input(images.copy()))
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(model(images), expected, rtol=1e-3, atol=1e-5)
    found = heatmaps(Classifier(model, "imagenet"), images, classes=208)
    assert found.layer == "block5_conv3"
    assert found.logits.shape == (2, 1000)


def test_another_file_is_refused_by_its_md5(path):
    with pytest.raises(InputError, match="a file with md5") as refusal:
        vgg16_imagenet.find(str(path))
    assert vgg16_imagenet.URL in refusal.value.fix


def test_another_base_is_refused_by_its_digest(path):
    with pytest.raises(InputError, match="convolutions with digest"):
        vgg16_imagenet.load(path, SIDE)


@pytest.mark.usefixtures("accepted")
def test_a_base_without_its_top_is_refused(path, tmp_path):
    write_h5(tmp_path / "notop.h5", weights.read(path))
    with pytest.raises(InputError, match="no dense layers"):
        vgg16_imagenet.load(tmp_path / "notop.h5", SIDE)


@pytest.mark.usefixtures("accepted")
def test_keras_cache_is_used_before_any_download(path, tmp_path, monkeypatch):
    def refuse(url, *_, **__):
        raise InputError(url, expected="", found="no network", fix="")

    monkeypatch.setattr(vgg16_imagenet, "download", refuse)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError, match="no network"):
        vgg16_imagenet.find(None)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / vgg16_imagenet.FILE).symlink_to(path)
    assert vgg16_imagenet.find(None) == tmp_path / "models" / vgg16_imagenet.FILE
    with pytest.raises(InputError, match="no such file"):
        vgg16_imagenet.find(str(tmp_path / "elsewhere.h5"))
