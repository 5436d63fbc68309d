"""Foreign models of every kind: taken apart rightly, or refused in one clear message."""

import keras
import numpy as np
import pytest
from nets import L, plain, seen

from convlens.errors import InputError
from convlens.explain.classifier import Classifier
from convlens.explain.gradcam import heatmaps

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3)).astype(np.uint8)


def _head(x, width=3):
    return L.Dense(width, name="logits")(L.GlobalAveragePooling2D()(x))


def _convolution(**kwargs):
    return L.Conv2D(4, 3, activation="relu", **kwargs)


def test_one_model_used_twice_within_models_within_models():
    """Siamese halves: shared weights, two places in the graph, and the sum of both."""
    inner = keras.Input((24, 24, 3))
    block = keras.Model(inner, _convolution(padding="same", name="conv")(inner), name="block")
    middle = keras.Input((24, 24, 3))
    twice = L.Add(name="sum")([block(middle), block(middle[:, ::-1])])
    middle = keras.Model(middle, twice, name="middle")
    outer = keras.Input((24, 24, 3))
    model = keras.Model(outer, _head(middle(outer)))
    net = Classifier(model)
    assert [name for name in net.layers if "conv" in name] == [
        "middle/block/conv", "middle/block/conv:2",
    ]  # fmt: skip
    assert net.default_layer == "sum"
    np.testing.assert_allclose(net.logits(IMAGES), model.predict(IMAGES, verbose=0), atol=1e-5)
    assert len(net.graph.weights()) == len(model.weights)


@pytest.mark.parametrize("begun", [True, False])
def test_sequential_models(begun):
    layers = [_convolution(), L.GlobalAveragePooling2D(), L.Dense(3)]
    model = keras.Sequential([keras.Input((24, 24, 3)), *layers] if begun else layers)
    if not begun:
        with pytest.raises(InputError, match="never called"):
            Classifier(model)
        model(IMAGES.astype(np.float32))
    assert heatmaps(Classifier(model), IMAGES).maps.any()
    np.testing.assert_allclose(
        Classifier(model).logits(IMAGES), model.predict(IMAGES, verbose=0), atol=1e-5
    )


def test_a_fixed_batch_size_is_no_limit():
    """A Sequential that was first called on one photo has one, for one."""
    inputs = keras.Input(batch_shape=(1, 24, 24, 3))
    net = Classifier(keras.Model(inputs, _head(_convolution()(inputs))))
    assert net.input_shape == (None, 24, 24, 3)
    assert heatmaps(net, IMAGES).maps.shape == (2, 24, 24)
    np.testing.assert_allclose(net.logits(IMAGES)[:1], net.logits(IMAGES[:1]), rtol=2e-6)


def test_the_model_is_left_as_it_was(tmp_path):
    model = plain((24, 24, 3))
    before, layer = model.get_weights(), model.layers[2]
    heatmaps(Classifier(model), IMAGES, method="hires-cam")
    assert layer.output is not None  # raises where a layer was called a second time
    assert model.layers[-1].activation.__name__ == "softmax"
    model.save(tmp_path / "model.keras")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_several_outputs_ask_for_a_choice():
    inputs = keras.Input((24, 24, 3))
    x = _convolution()(inputs)
    model = keras.Model(inputs, [_head(x), L.Dense(2, name="other")(L.Flatten()(x))])
    with pytest.raises(InputError, match="logits, other"):
        Classifier(model)
    assert Classifier(model, output="other").probabilities(IMAGES).shape == (2, 2)
    assert Classifier(model, output=0).probabilities(IMAGES).shape == (2, 3)
    with pytest.raises(InputError, match="logits, other"):
        Classifier(model, output="third")


def _two_inputs():
    a, b = keras.Input((24, 24, 3)), keras.Input((4,))
    return keras.Model([a, b], L.Concatenate()([_head(_convolution()(a)), b]))


def _channels_first():
    inputs = keras.Input((3, 24, 24))
    x = L.Conv2D(4, 3, data_format="channels_first")(inputs)
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(x)))


class Own(keras.Model):
    """Its computation is code."""

    def __init__(self):
        super().__init__()
        self.conv, self.pool, self.dense = _convolution(), L.GlobalMaxPooling2D(), L.Dense(3)

    def call(self, x):
        return self.dense(self.pool(self.conv(x)))


def _not_finite(value):
    model = keras.Model(inputs := keras.Input((24, 24, 3)), _head(_convolution()(inputs)))
    kernel = model.layers[1].kernel
    kernel.assign(np.where(np.arange(4) == 2, value, np.asarray(kernel)))
    return model


def _subclassed():
    model = Own()
    model(IMAGES.astype(np.float32))
    return model


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (_two_inputs, "2 inputs"),
        (_channels_first, "channels_first"),
        (_subclassed, "subclassed one, Own"),
        (lambda: _not_finite(np.nan), "NaN or infinite"),
        (lambda: _not_finite(np.inf), "NaN or infinite"),
        (lambda: keras.Sequential([keras.Input((8,)), L.Dense(3)]), "channels"),
        (lambda: "model.keras", "not a model|Keras model"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_message(build, said):
    with pytest.raises(InputError, match=said):
        Classifier(build())


@pytest.mark.parametrize("count", [1, 2, 3, 5, 1000, 21843])
def test_names_are_never_guessed_from_the_number_of_logits(count):
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, _head(L.Conv2D(2, 3)(inputs), count))
    net = Classifier(model)
    assert net.classes == [f"class {number}" for number in range(max(count, 2))]
    assert net.probabilities(IMAGES[:, :8, :8]).shape == (2, max(count, 2))
    if count == 1000:
        assert Classifier(model, "imagenet").classes[208] == "Labrador retriever"
    else:
        with pytest.raises(InputError, match=f"{max(count, 2)} names"):
            Classifier(model, "imagenet")


def test_names_from_a_file(tmp_path):
    (tmp_path / "labels.txt").write_text("ant\nbee\nfly\nwasp\n\n")
    assert Classifier(plain((24, 24, 3)), tmp_path / "labels.txt").classes[-1] == "wasp"
    with pytest.raises(InputError, match="no-such"):
        Classifier(plain((24, 24, 3)), tmp_path / "no-such.txt")


@pytest.mark.parametrize("label", [-1, 4, 1.5])
def test_every_function_refuses_a_class_that_does_not_exist(label):
    from convlens.explain.evidence import gather
    from convlens.explain.saliency import integrated_gradients, smooth_grad

    net = seen(_small())
    for function in (
        lambda: heatmaps(net, IMAGES, classes=label),
        lambda: gather(net, IMAGES, (), ["conv"], classes=label),
        lambda: smooth_grad(net, IMAGES, label, samples=1),
        lambda: integrated_gradients(net, IMAGES, label, steps=1),
    ):
        with pytest.raises(InputError, match="from 0 to 3"):
            function()


SMALL = []


def _small():
    if not SMALL:
        inputs = keras.Input((24, 24, 3))
        x = _convolution(name="conv")(inputs)
        SMALL.append(keras.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(x))))
    return SMALL[0]


@pytest.mark.parametrize("shape", [(2, 25, 24, 3), (2, 24, 24, 1), (24, 24, 3)])
def test_photos_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match=r"shape \(N, 24, 24, 3\)"):
        seen(_small()).probabilities(np.zeros(shape, np.uint8))


def _imagenet(images):
    return (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("0..1", lambda x: x / 255),
        ("-1..1", lambda x: x / 127.5 - 1),
        ("0..255", lambda x: x),
        ("caffe", keras.applications.vgg16.preprocess_input),
        ("imagenet", _imagenet),
    ],
)
def test_preprocessing_by_name_is_the_function(name, function):
    model = _small()
    ours, theirs = Classifier(model, preprocess=name), Classifier(model, preprocess=function)
    expected = model.predict(function(IMAGES.astype(np.float32)), verbose=0)
    for net in (ours, theirs):
        np.testing.assert_allclose(net.logits(IMAGES), expected, atol=1e-4)
        np.testing.assert_allclose(net.affine.matrix, ours.affine.matrix, atol=1e-5)


def test_unknown_preprocessing_is_refused():
    with pytest.raises(InputError, match=r"-1\.\.1, 0\.\.255, caffe, imagenet"):
        Classifier(_small(), preprocess="0..2")


def test_a_gradient_too_small_for_16_bits_is_not_lost():
    keras.config.set_dtype_policy("mixed_float16")
    inputs = keras.Input((24, 24, 3))
    x = L.GlobalAveragePooling2D()(_convolution(name="conv")(L.Rescaling(1 / 255)(inputs)))
    small = keras.initializers.RandomNormal(stddev=1e-6)
    model = keras.Model(inputs, L.Dense(3, kernel_initializer=small)(x))
    keras.config.set_dtype_policy("float32")
    found = heatmaps(Classifier(model), IMAGES, method="hires-cam", classes=1)
    assert np.count_nonzero(found.raw) > found.raw.size // 3
