"""Is the heatmap true? What happens to the score when the places it names go, or come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convlens.engines import Batch, Engine, survived
from convlens.engines.local import LOCAL
from convlens.explain.maps import Maps, resize
from convlens.progress import Progress, silent

Values = npt.NDArray[np.float64]
Predict = Callable[[npt.NDArray[np.float32]], Values]


def removal_curves(
    predict: Predict,
    image: npt.NDArray[Any],
    baseline: npt.NDArray[Any],
    orders: Sequence[npt.NDArray[np.floating]],
    steps: int,
) -> tuple[Values, Values]:
    """Return scores while the hottest 0, 1/steps, … all pixels vanish, and while they come back.

    Parameters
    ----------
    predict
        From images (M, H, W, 3) to scores (M,).
    image, baseline
        (H, W, 3): the photo, and what stands where it is absent.
    orders
        K maps (H, W); equal values go in reading order.

    Returns
    -------
    deletion, insertion
        (K, steps + 1) scores each: from the image's to the baseline's, and the other way.
    """
    gone = np.stack([_hottest(heat, steps) for heat in orders])[..., None]
    inner = gone[:, 1:-1].reshape(-1, *gone.shape[2:])
    frames = [image[None], baseline[None], np.where(inner, baseline, image)]
    frames.append(np.where(inner, image, baseline))
    scores = predict(np.concatenate(frames).astype(np.float32))
    whole, empty = (np.full((len(orders), 1), score) for score in scores[:2])
    away, back = scores[2:].reshape(2, len(orders), steps - 1)
    return np.hstack([whole, away, empty]), np.hstack([empty, back, whole])


def _hottest(heat: npt.NDArray[np.floating], steps: int) -> npt.NDArray[np.bool_]:
    """Return (steps + 1, H, W) bool: the hottest 0, 1/steps, … all pixels."""
    order = np.argsort(-heat.ravel().astype(np.float64), kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    limits = np.round(np.linspace(0, order.size, steps + 1))
    return rank.reshape(heat.shape) < limits[:, None, None]


def area(curve: Values) -> float:
    """Return the mean height of a curve by the trapezoidal rule; x runs from 0 to 1."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def centred_gaussian(height: int, width: int) -> Maps:
    """Return a bump (height, width) in (0, 1], a quarter of each side wide: the photographer's."""
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    bump = np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * 0.25**2))
    return np.asarray(bump / bump.max(), dtype=np.float32)


def random_map(grid: tuple[int, int], size: tuple[int, int], seed: tuple[int, ...]) -> Maps:
    """Return uniform noise on a coarse `grid`, resized to `size` as heatmaps are.

    As smooth as a heatmap, so that comparing the two compares places and not textures.
    """
    noise = np.random.default_rng(seed).random((1, *grid))
    return np.asarray(resize(noise, *size)[0])


def blurred(image: npt.NDArray[Any], share: float = 0.1) -> npt.NDArray[np.float32]:
    """Return (H, W, 3) float32 blurred by `share` of its sides: what "not there" looks like."""
    from scipy.ndimage import gaussian_filter

    height, width = image.shape[:2]
    spread = (share * height, share * width, 0)
    return np.asarray(gaussian_filter(image.astype(np.float32), spread, mode="nearest"))


def curves(
    predict_for: Callable[[int], Predict],
    images: npt.NDArray[Any],
    maps: Maps,
    grid: tuple[int, int],
    *,
    steps: int,
    seed: int = 0,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> dict[str, dict[str, Values]]:
    """Delete and insert by heatmap, random and centred-Gaussian order.

    Parameters
    ----------
    predict_for
        From an image's index to its score function.
    images, maps
        (N, H, W, 3) and (N, H, W).
    grid
        Resolution (h, w) of the layer behind the maps; random maps get the same.

    Returns
    -------
    dict
        `deletion` and `insertion`, each with `heatmap`, `random` and `gaussian`: (N, steps + 1).
    """
    size = (images.shape[1], images.shape[2])

    def of_image(block: Batch) -> Batch:
        index = int(block["image"][0])
        orders = (maps[index], random_map(grid, size, (seed, index)), centred_gaussian(*size))
        absent = blurred(images[index])
        rows = removal_curves(predict_for(index), images[index], absent, orders, steps)
        return dict(zip(("deletion", "insertion"), rows, strict=True))

    blocks = [{"image": np.array([index])} for index in range(len(images))]
    found: list[Any] = [None] * len(blocks)
    made = engine.map(lambda: of_image, blocks)
    for number, curve in progress(made, what="faithfulness", total=len(blocks), unit="image"):
        found[number] = survived(curve, blocks[number])
    names = ("heatmap", "random", "gaussian")
    return {
        kind: dict(zip(names, np.stack([each[kind] for each in found], axis=1), strict=True))
        for kind in ("deletion", "insertion")
    }


def bootstrap(
    values: Values, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean of `values` (N,) and the bounds of its percentile bootstrap interval."""
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means = values[draws].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(values.mean()), float(low), float(high)
