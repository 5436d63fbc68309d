"""When one model's results are better than another's beyond doubt."""

from __future__ import annotations

from collections.abc import Mapping

from convlens.params import RegistryParams


def verdict(
    new: Mapping[str, float], champion: Mapping[str, float] | None, rule: RegistryParams
) -> tuple[bool, str]:
    """Tell whether `new` replaces `champion`, and why, from their results on the same data.

    It must beat the champion's test accuracy beyond the champion's interval, with a calibration
    error no more than `rule.max_calibration_loss` above the champion's.
    """
    accuracy, ece = new["accuracy"], new["ece"]
    said = f"test accuracy {accuracy:.3f}"
    if champion is None:
        wins = accuracy >= rule.min_accuracy
        return wins, f"first: {said} {'≥' if wins else '<'} {rule.min_accuracy:.3f}"
    high, allowed = champion["accuracy_high"], champion["ece"] + rule.max_calibration_loss
    if accuracy <= high:
        return False, f"{said} is inside the champion's interval (≤ {high:.3f})"
    if ece > allowed:
        return False, f"calibration error {ece:.3f} is above {allowed:.3f}"
    return True, f"{said} > {high:.3f}, calibration error {ece:.3f}"
