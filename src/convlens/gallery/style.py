"""One style for every figure, and PNG files that are byte-identical for identical input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.files import atomic
from convlens.gallery import letters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb = npt.NDArray[np.uint8]

# Okabe & Ito (2008): distinguishable with every common colour-vision deficiency.
BLUE, ORANGE, GREEN, VERMILION, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9",
)  # fmt: skip
INK, MUTED, GRID, DEAD = "#1f2933", "#5f6c7b", "#d9dee4", "#9aa5b1"
PURPLE, YELLOW = "#CC79A7", "#F0E442"
CLASS_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW)
DPI = 120
LONGEST = 24  # characters of a class's name on an axis

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


def shortened(name: str) -> str:
    """Return a class's name as it fits an axis."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def colour(number: int) -> str:
    """Return the colour of class `number`; they repeat where there are more classes."""
    return CLASS_COLOURS[number % len(CLASS_COLOURS)]


_lock, _drawing, _callers = Lock(), 0, dict[str, Any]()


@contextmanager
def applied() -> Iterator[None]:
    """Lend Matplotlib the project's style, in every thread; at the end its user's own comes back.

    Also a decorator. Matplotlib reads its settings when it makes a part of a figure, and makes
    some, like ticks, only when the figure is written: both must happen inside.
    """
    global _drawing
    import matplotlib as mpl

    with _lock:
        if not _drawing:
            _callers.update({key: mpl.rcParams[key] for key in _RC})
            mpl.rcParams.update(_RC)
        _drawing += 1
    try:
        yield
    finally:
        with _lock:
            _drawing -= 1
            if not _drawing:
                mpl.rcParams.update(_callers)


def figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure of `width` × `height` inches, to be filled in `applied` style."""
    from matplotlib.figure import Figure

    if not _drawing:
        raise RuntimeError("a figure is drawn inside style.applied()")
    options.setdefault("layout", "constrained")
    return Figure(figsize=(width, height), dpi=DPI, **options)


def picture(
    fig: Figure, image: Rgb, place: tuple[float, float, float, float], *, smooth: bool
) -> None:
    """Put `image` (H, W, 3) at `place`: left, bottom, width and height as shares of the figure.

    Without axes, whose ticks nobody sees and which take most of the time of a page of pictures.
    """
    from matplotlib.image import BboxImage
    from matplotlib.transforms import Bbox, TransformedBbox

    box = TransformedBbox(Bbox.from_bounds(*place), fig.transFigure)
    kind = "antialiased" if smooth else "nearest"
    shown = BboxImage(box, interpolation=kind, origin="upper", resample=True)
    shown.set_data(image)
    fig.add_artist(shown)


def pixels(fig: Figure, image: Rgb, left: int, bottom: int) -> None:
    """Put `image` (H, W, 3) on the figure pixel for pixel, its corner at `left` and `bottom`.

    Matplotlib's own images would be resampled, onto themselves, in several copies.
    """
    from matplotlib.artist import Artist

    class Pixels(Artist):
        array = image

        def draw(self, renderer: Any) -> None:
            opaque = np.full((*image.shape[:2], 4), 255, np.uint8)
            opaque[..., :3] = image[::-1]  # the first row is the lowest there
            gc = renderer.new_gc()
            renderer.draw_image(gc, left, bottom, opaque)
            gc.restore()

    fig.add_artist(Pixels())


def colours(colormap: str) -> Rgb:
    """Return the 256 colours (256, 3) uint8 of a colormap of Matplotlib."""
    import matplotlib as mpl

    return np.asarray(np.round(mpl.colormaps[colormap](np.arange(256))[:, :3] * 255), np.uint8)


@applied()
def save(fig: Figure, path: Path, compression: int = 4) -> Path:
    """Write `fig` as PNG without date or version, so that equal input gives equal bytes.

    `compression` is zlib's, 1 (fast) to 9 (small).
    """
    letters.fit(fig.texts)
    with atomic(path) as partial:
        packed = {"compress_level": compression}
        fig.savefig(partial, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs=packed)
    fig.clear()
    return path
