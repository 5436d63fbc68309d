"""The estimate's arithmetic against the nets themselves and against sums worked out by hand."""

import tarfile
import zipfile

import keras
import pytest

from convlens import estimate, params
from convlens.models import convnet


@pytest.fixture(scope="module")
def recipe():
    from pathlib import Path

    return params.load(Path(__file__).resolve().parents[1] / "recipes/drawn.yaml")


def gflop(model):
    """Two operations for each multiply-add of Keras' own layers."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            kernel = layer.kernel.shape
            places = layer.output.shape[1] * layer.output.shape[2] if len(kernel) == 4 else 1
            total += 2 * places * int(keras.ops.prod(kernel))
    return total / 1e9


@pytest.mark.parametrize("side", [64, 150, 224])
def test_the_cost_of_both_nets_is_what_their_layers_add_up_to(recipe, side):
    small = convnet.build(recipe.convnet, side)
    assert estimate.convnet_gflop(side) == pytest.approx(gflop(small), rel=1e-3)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(side, side, 3))
    assert estimate.vgg16_gflop(side) == pytest.approx(gflop(base), rel=1e-6)
    assert estimate.base_gflop("vgg16", side) == pytest.approx(gflop(base), rel=1e-6)


def test_half_the_machine_takes_twice_as_long_but_for_starting(recipe):
    counts = estimate.images(recipe.data)
    fast, slow = (estimate.stages(recipe, counts, gflops) for gflops in (200.0, 100.0))
    for stage in ("train@convnet", "extract_features@vgg16", "evaluate@vgg16", "explain@vgg16"):
        assert slow[stage] - fast[stage] == pytest.approx(fast[stage] - estimate.START_SECONDS)
    assert slow["fetch"] == fast["fetch"]  # drawing multiplies no matrices


def test_a_stage_costs_what_its_images_cost(recipe):
    counts = {"train": 1000, "validation": 200, "test": 100}
    plain = params.changed(recipe, {"features.views": 1}, "test")
    views = params.changed(recipe, {"features.views": 3, "evaluate.mirror": True}, "test")
    one, three = (estimate.stages(p, counts, 143.0) for p in (plain, views))
    an_image = estimate.vgg16_gflop(150) / estimate.BASE_SHARE / 143.0
    more = {stage: three[stage] - one[stage] for stage in one}
    assert more["extract_features@vgg16"] == pytest.approx(2000 * an_image)
    assert more["evaluate@vgg16"] == pytest.approx(100 * an_image)
    assert more["train@convnet"] == 0
    four = params.changed(recipe, {"data": {"classes": ["cat", "dog", "rabbit", "bear"]}}, "test")
    assert estimate.images(four.data)["train"] == 2 * estimate.images(recipe.data)["train"]


def test_photos_are_counted_where_they_lie(recipe, tmp_path):
    for number in range(40):
        (tmp_path / f"cat.{number}.jpg").write_bytes(b"")
    (tmp_path / "Thumbs.db").write_bytes(b"")
    packed, tarred = tmp_path / "packed.zip", tmp_path / "packed.tgz"
    with zipfile.ZipFile(packed, "w") as archive, tarfile.open(tarred, "w:gz") as tape:
        for path in sorted(tmp_path.glob("*.jpg")):
            archive.write(path, path.name)
            tape.add(path, path.name)
    shares = {"train": 0.5, "validation": 0.25, "test": 0.25}
    for place in (tmp_path, packed, tarred):
        changes = {"data": {"source": "archive", "archive": str(place), "split": shares}}
        found = estimate.images(params.changed(recipe, changes, "test").data)
        assert found == {"train": 20, "validation": 10, "test": 10}


def test_the_text_says_the_whole_and_what_takes_longest():
    said = estimate.text({"fetch": 9.0, "train@convnet": 120.0, "report": 3.0}, 143.2, "float32")
    assert said.startswith("about 2 min 12 s here (143 GFLOP/s in float32)")
    assert "train@convnet 2 min 00 s, fetch 9 s" in said
