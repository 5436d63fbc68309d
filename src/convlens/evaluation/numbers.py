"""Numbers as people read them; none is rounded to a false certainty."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return 0.995 as "99.5 %"; only a true 0 or 1 becomes 0.0 % or 100.0 %."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def decimal(value: float) -> str:
    """Return four decimals; only a true 0 or 1 becomes 0.0000 or 1.0000."""
    if 0 < value < 0.00005:
        return "< 0.0001"
    return "> 0.9999" if 0.99995 <= value < 1 else f"{value:.4f}"
