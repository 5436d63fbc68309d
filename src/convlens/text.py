"""Numbers as people read them; none is rounded to a false certainty."""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 1e-9


def percent(share: float) -> str:
    """Return 0.995 as "99.5 %"; only a true 0 or 1 becomes 0.0 % or 100.0 %."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def says(label: str, probability: float) -> str:
    """Return "dog, 97.1 %"; never 0.0 % or 100.0 %, which no network can claim."""
    return f"{label}, {percent(min(max(probability, _LEAST), 1 - _LEAST))}"


def decimal(value: float) -> str:
    """Return four decimals; only a true 0 or 1 becomes 0.0000 or 1.0000."""
    if 0 < value < 0.00005:
        return "< 0.0001"
    return "> 0.9999" if 0.99995 <= value < 1 else f"{value:.4f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lay `rows` out in columns, the first row being a header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])
