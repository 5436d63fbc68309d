"""How much of a heatmap lies on known things; for drawings, whose parts are known to the pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convlens.explain.faithfulness import Values, bootstrap, centred_gaussian, random_map
from convlens.explain.maps import Maps

Masks = npt.NDArray[np.bool_]


def energy(maps: Maps, masks: Masks) -> Values:
    """Return the share (N,) of each map's sum inside its mask (N, H, W); NaN for an empty map."""
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    return np.asarray(np.where(total > 0, inside / np.where(total > 0, total, 1.0), np.nan))


def pointing(maps: Maps, masks: Masks) -> Values:
    """Return 1 where a map's maximum lies in its mask, 0 where not; NaN for an empty map (N,).

    The pointing game of Zhang et al. 2018 (Top-down neural attention by excitation backprop).
    """
    flat = maps.reshape(len(maps), -1)
    hit = masks.reshape(len(masks), -1)[np.arange(len(maps)), flat.argmax(axis=1)]
    return np.where(flat.max(axis=1) > 0, hit, np.nan).astype(np.float64)


def localisation(
    maps: Maps, masks: Masks, grid: tuple[int, int], name: str, *, confidence: float, seed: int = 0
) -> dict[str, float]:
    """Measure maps (N, H, W) against masks of the same shape, with baselines and intervals.

    Returns
    -------
    dict
        For `name`: `energy_{name}` and `pointing_{name}` with `_low` and `_high`, each also for
        the baselines `_uniform`, `_random` (noise on the layer's `grid`) and `_gaussian`;
        `energy_ratio_{name}`, energy divided by the mask's area, with its interval; and
        `energy_{name}_minus_gaussian` with its interval. Empty maps and masks are left out.
    """
    count, height, width = maps.shape
    gaussian = np.broadcast_to(centred_gaussian(height, width), maps.shape)
    noise = np.stack([random_map(grid, (height, width), (seed, i)) for i in range(count)])
    uniform = masks.mean(axis=(1, 2))
    used = (maps.max(axis=(1, 2)) > 0) & (uniform > 0)
    if not used.any():
        return {}
    found, centred = energy(maps, masks)[used], energy(gaussian, masks)[used]
    numbers: dict[str, float] = {}

    def add(key: str, values: Values) -> None:
        mean, low, high = bootstrap(values, confidence, seed=seed)
        numbers.update({key: mean, f"{key}_low": low, f"{key}_high": high})

    add(f"energy_{name}", found)
    add(f"energy_ratio_{name}", found / uniform[used])
    add(f"energy_{name}_minus_gaussian", found - centred)
    add(f"pointing_{name}", pointing(maps, masks)[used])
    numbers[f"energy_{name}_uniform"] = float(uniform[used].mean())
    numbers[f"energy_{name}_random"] = float(energy(noise, masks)[used].mean())
    numbers[f"energy_{name}_gaussian"] = float(centred.mean())
    numbers[f"pointing_{name}_uniform"] = float(uniform[used].mean())
    numbers[f"pointing_{name}_random"] = float(pointing(noise, masks)[used].mean())
    numbers[f"pointing_{name}_gaussian"] = float(pointing(gaussian, masks)[used].mean())
    return numbers
