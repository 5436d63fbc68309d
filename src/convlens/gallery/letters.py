"""Letters that the figures' own font lacks: another font's, or a name without them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.text import Text

FONT = "DejaVu Sans"
_BOXES = "Last Resort"  # Matplotlib's own: it has a box for every letter


def readable(text: str, instead: str) -> str:
    """Return `text` if some installed font has all its letters, else `instead`."""
    return text if not _lacking(text) or _font_with(_lacking(text)) else instead


def fit(texts: Iterable[Text]) -> None:
    """Give each text a font that has its letters; those that no font has become question marks."""
    for text in texts:
        lacking = _lacking(text.get_text())
        if not lacking:
            continue
        if other := _font_with(lacking):
            text.set_fontfamily([FONT, other])
        else:
            table = str.maketrans(dict.fromkeys(lacking, "?"))
            text.set_text(text.get_text().translate(table))


def _lacking(text: str) -> frozenset[str]:
    if text.isascii():
        return frozenset()
    return frozenset(c for c in text if ord(c) not in _letters() and not c.isspace())


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import findfont

    return _letters_of(findfont(FONT))


def _letters_of(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())


@lru_cache(maxsize=64)
def _font_with(characters: frozenset[str]) -> str | None:
    """Return the first installed family, by name, that has all the characters."""
    wanted = {ord(character) for character in characters}
    for font in sorted(_installed(), key=lambda font: (font.name, font.fname)):
        if not font.name.startswith(_BOXES) and wanted <= _letters_of(font.fname):
            return str(font.name)
    return None


def _installed() -> list[Any]:
    from matplotlib.font_manager import fontManager

    return list(fontManager.ttflist)
