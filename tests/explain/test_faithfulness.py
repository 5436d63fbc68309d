"""Deletion, insertion, localisation and randomisation on functions whose answers are known."""

import numpy as np
import pytest
from nets import seen

from convlens.explain import faithfulness, localisation
from convlens.explain.faithfulness import area, bootstrap, centred_gaussian, removal_curves
from convlens.explain.measure import measure
from convlens.explain.randomisation import cascade, rank_correlation


def total(images):
    """f(x) = sum of x."""
    return images.sum(axis=(1, 2, 3), dtype=np.float64)


def test_deletion_and_insertion_of_a_sum_are_cumulated_values():
    """For f(x) = sum x and the best order, what is left is the sum of the smallest pixels."""
    draw = np.random.default_rng(0)
    image = draw.random((10, 10, 1)) * np.ones((1, 1, 3))
    heat = image[..., 0]
    deletion, insertion = removal_curves(total, image, np.zeros_like(image), [heat], steps=20)
    ranked = 3 * np.sort(heat.ravel())[::-1]
    taken = np.array([ranked[: 5 * step].sum() for step in range(21)])
    np.testing.assert_allclose(deletion[0], taken[-1] - taken, atol=1e-4)
    np.testing.assert_allclose(insertion[0], taken, atol=1e-4)


def test_true_order_beats_any_other_for_a_sum():
    image = np.random.default_rng(1).random((8, 8, 3))
    true = image.sum(axis=2)
    orders = [true, -true, np.random.default_rng(2).random((8, 8)), centred_gaussian(8, 8)]
    deletion, insertion = removal_curves(total, image, np.zeros_like(image), orders, steps=16)
    areas = [area(curve) for curve in deletion]
    assert areas[0] == min(areas)
    assert areas[1] == max(areas)
    np.testing.assert_allclose(deletion[0], insertion[1][::-1], atol=1e-4)


def test_area_of_a_straight_line():
    assert area(np.linspace(0, 1, 7)) == pytest.approx(0.5)


def test_curves_give_the_heatmap_the_photo_it_belongs_to(detector):
    images = np.full((2, 24, 24, 3), 90, np.uint8)
    images[0, 2:6, 2:6], images[1, 17:21, 17:21] = (255, 0, 0), (255, 0, 0)
    maps = np.zeros((2, 24, 24), np.float32)
    maps[0, :8, :8], maps[1, 15:23, 15:23] = 1, 1

    def predict_for(_):
        return lambda batch: detector.predict(batch, verbose=0)[:, 0]

    found = faithfulness.curves(predict_for, images, maps, (24, 24), steps=9)
    for curve in found["deletion"]["heatmap"]:
        assert curve[0] > 0
        assert curve[1] < 0.2 * curve[0]
    assert found["insertion"]["random"].shape == (2, 10)
    swapped = faithfulness.curves(predict_for, images, maps[::-1], (24, 24), steps=9)
    assert area(swapped["deletion"]["heatmap"][0]) > area(found["deletion"]["heatmap"][0])


def test_energy_and_pointing_of_known_maps():
    masks = np.zeros((3, 4, 4), bool)
    masks[:, :2] = True
    maps = np.zeros((3, 4, 4), np.float32)
    maps[0], maps[1, 0, 0], maps[1, 3, 3] = 1, 3, 1
    np.testing.assert_array_equal(localisation.energy(maps, masks), [0.5, 0.75, np.nan])
    np.testing.assert_array_equal(localisation.pointing(maps, masks), [1, 1, np.nan])


def test_uniform_maps_have_ratio_one_and_perfect_maps_one_over_area():
    masks = np.zeros((4, 8, 8), bool)
    masks[:, :2, :4] = True
    uniform = np.ones((4, 8, 8), np.float32)
    found = localisation.localisation(uniform, masks, (4, 4), "animal", confidence=0.95)
    assert found["energy_ratio_animal"] == pytest.approx(1)
    assert found["energy_ratio_animal_low"] == found["energy_ratio_animal_high"]
    perfect = masks.astype(np.float32)
    found = localisation.localisation(perfect, masks, (4, 4), "animal", confidence=0.95)
    assert found["energy_ratio_animal"] == pytest.approx(8)
    assert found["pointing_animal"] == 1
    assert found["energy_animal_minus_gaussian_low"] > 0
    assert found["energy_animal_uniform"] == pytest.approx(1 / 8)


def test_maps_without_evidence_are_left_out_not_counted_as_nan():
    masks = np.ones((2, 4, 4), bool)
    maps = np.zeros((2, 4, 4), np.float32)
    assert localisation.localisation(maps, masks, (2, 2), "parts", confidence=0.95) == {}
    maps[1, 1, 1] = 1
    found = localisation.localisation(maps, masks, (2, 2), "parts", confidence=0.95)
    assert found["energy_parts"] == 1
    assert np.isfinite(list(found.values())).all()


def test_bootstrap_covers_the_mean_as_often_as_it_says():
    draw = np.random.default_rng(0)
    hits = 0
    for number in range(200):
        _, low, high = bootstrap(draw.normal(3, 1, 40), resamples=300, seed=number)
        hits += low <= 3 <= high
    assert 0.88 <= hits / 200 <= 0.99
    assert bootstrap(np.full(5, 2.0)) == (2.0, 2.0, 2.0)


def test_cascading_randomisation_destroys_the_map_and_keeps_the_model(gap_net, flat_net, images):
    before = flat_net.get_weights()
    found = cascade(seen(flat_net), images, np.zeros(5, np.int32))
    assert list(found) == ["logits", "dense", "conv2"]
    assert abs(found["conv2"]) < 0.5
    for old, new in zip(before, flat_net.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert list(cascade(seen(gap_net), images, np.ones(5, np.int32))) == ["logit", "conv2"]


def test_frozen_layers_are_randomised_like_others(flat_net, images):
    """What is frozen was learned once: the map's loss does not depend on it."""
    labels = np.zeros(5, np.int32)
    free = cascade(seen(flat_net), images, labels)
    flat_net.trainable = False
    try:
        assert cascade(seen(flat_net), images, labels) == free
        flat_net.trainable = True
        flat_net.get_layer("conv2").trainable = False
        assert cascade(seen(flat_net), images, labels) == free
    finally:
        flat_net.trainable = True


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(0).integers(0, 5, (2, 6, 6))
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert rank_correlation(a, np.zeros_like(a)) == 0


def test_measure_proves_a_true_detector_and_a_true_mask(detector):
    images = np.full((6, 24, 24, 3), 90, np.uint8)
    masks = np.zeros((6, 24, 24), bool)
    for number in range(6):
        place = (slice(3 * number, 3 * number + 4), slice(15 - 3 * number, 19 - 3 * number))
        images[number][place] = (255, 0, 0)
        masks[number][place] = True
    found = measure(seen(detector), images, {"animal": masks}, method="grad-cam", steps=12)
    assert found.numbers["deletion_minus_random_high"] < 0
    assert found.numbers["insertion_minus_random_low"] > 0
    assert found.numbers["energy_ratio_animal_low"] > 5
    assert found.numbers["energy_animal_minus_gaussian_low"] > 0
    assert found.numbers["empty_maps"] == 0
    again = measure(seen(detector), images, {"animal": masks}, method="grad-cam", steps=12)
    assert again.numbers == found.numbers
    assert not any("energy" in key for key in measure(
        seen(detector), images[:2], {}, method="grad-cam", steps=4).numbers)  # fmt: skip
