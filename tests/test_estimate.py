"""The estimate's arithmetic against the nets themselves and against sums worked out by hand."""

import tarfile
import zipfile

import pytest

from convlens import estimate, params


@pytest.fixture(scope="module")
def recipe():
    from pathlib import Path

    return params.load(Path(__file__).resolve().parents[1] / "recipes/drawn.yaml")


def hand_count(side):
    """Return its GFLOP: four unpadded 3 × 3 convolutions, each pooled by two; two dense layers."""
    total, width, channels = 0, side, 3
    for filters in (32, 64, 128, 128):
        width -= 2
        total += 2 * 9 * channels * filters * width**2
        width, channels = width // 2, filters
    return (total + 2 * 512 * (channels * width**2 + 1)) / 1e9


@pytest.mark.parametrize("side", [64, 150])
def test_the_convnet_s_cost_is_what_is_counted_by_hand(recipe, side):
    found = sum(estimate.layers(recipe, "convnet", side).values())
    assert found * estimate.CONVNET_SHARE == pytest.approx(hand_count(side), rel=1e-9)


def test_bases_cost_what_their_papers_say(recipe):
    vgg16 = sum(estimate.layers(recipe, "vgg16", 224).values()) * estimate.BASE_SHARE
    assert vgg16 == pytest.approx(2 * 15.35, rel=0.01)  # 15.5 GMAC, the dense layers 0.12 of them
    small = sum(estimate.layers(recipe, "efficientnet-lite0", 224).values())
    assert small * estimate.DEPTHWISE_SHARE == pytest.approx(2 * 0.407, rel=0.1)
    both = sum(estimate.layers(recipe, "vgg16+efficientnet-lite0", 224).values())
    assert both > sum(estimate.layers(recipe, "vgg16", 224).values())


def test_fine_tuning_costs_what_lies_behind_the_cached_layer(recipe):
    counts = {"train": 1000, "validation": 200, "test": 100}
    sections = {"vgg16.fine_tune.epochs": 2, "features.layer": {"vgg16": "block4_pool"}}
    found = estimate.stages(params.changed(recipe, sections, "test"), counts, 100.0)
    cost = estimate.layers(recipe, "vgg16", recipe.data.image_size)
    block5 = sum(gflop for name, gflop in cost.items() if name.startswith("block5"))
    once, epoch = 1000 * recipe.features.views + 200, 3 * 1000 + 200
    expected = block5 * (once + 2 * epoch) / 100.0
    assert found["train@vgg16"] - estimate.START_SECONDS == pytest.approx(expected)


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
    an_image = sum(estimate.layers(recipe, "vgg16", recipe.data.image_size).values()) / 143.0
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


def test_the_bench_takes_what_it_took(recipe):
    # one round on two cores of a Xeon: 16 min 52 s, with 327 GFLOP/s in float32
    assert estimate.bench_gflop(recipe) / 327 == pytest.approx(1012, rel=0.3)
