"""One style for every figure, and PNG files that are byte-identical for identical input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.figures import letters
from convlens.files import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable with every common colour-vision deficiency.
BLUE, ORANGE, GREEN, VERMILION, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9",
)  # fmt: skip
INK, MUTED, GRID, DEAD = "#1f2933", "#5f6c7b", "#d9dee4", "#9aa5b1"
CLASS_COLOURS = {"cat": BLUE, "dog": VERMILION}
DPI = 120

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a photo's name is a dollar
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "image.interpolation": "nearest",
}


def figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure of `width` × `height` inches in the project's style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(_RC)
    options.setdefault("layout", "constrained")
    return Figure(figsize=(width, height), dpi=DPI, **options)


def save(fig: Figure, path: Path) -> Path:
    """Write `fig` as PNG without date or version, so that equal input gives equal bytes."""
    letters.fit(fig.texts)
    with atomic(path) as partial:
        fig.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
    fig.clear()
    return path
