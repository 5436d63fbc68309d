"""Names of files: which are photos, which are hidden, and how any of them can be printed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath, PurePosixPath

HEIC = frozenset({".heic", ".heif"})
SUFFIXES = HEIC | {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".bmp", ".webp", ".avif",
    ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jpf",
}  # fmt: skip
_THUMBNAILS = "@eadir"  # Synology's
_OF_TOOLS = frozenset(
    {".ipynb_checkpoints", ".git", ".dvc", ".cache", ".thumbnails", ".picasaoriginals"}
)
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def suffix(name: str | PurePath) -> str:
    """Return the suffix in lower case, with its dot; "" if there is none."""
    return PurePosixPath(name).suffix.lower()


def hidden(name: str) -> bool:
    """Return whether a system put the file there, not a person: `.x/a.jpg`, `__MACOSX/a.jpg`."""
    parts = PurePosixPath(name).parts
    return any(part.startswith((".", "__")) or part.lower() == _THUMBNAILS for part in parts)


def hidden_folders(names: Iterable[str]) -> list[str]:
    """Return the folders that a dot at the beginning of their name hides, if photos are in them.

    Those in which programs keep their copies are not among them: no person wants these read.
    A folder that was not walked stands in `names` as "NAME/" if it has photos.
    """
    found: dict[str, None] = {}
    for name in names:
        path = PurePosixPath(name)
        dotted = [n for n, part in enumerate(path.parts) if part.startswith(".")]
        if not dotted or path.parts[dotted[0]].lower() in _OF_TOOLS:
            continue
        if name.endswith("/") or (dotted[0] + 1 < len(path.parts) and _plain(path)):
            found["/".join(path.parts[: dotted[0] + 1])] = None
    return list(found)


def _plain(path: PurePosixPath) -> bool:
    return suffix(path) in SUFFIXES and not hidden(path.name)


def is_photo(name: str) -> bool:
    """Return whether `name` is a photo's: not hidden, no folder, and with one of SUFFIXES."""
    return suffix(name) in SUFFIXES and not name.endswith("/") and not hidden(name)


def printable(name: str | PurePath) -> str:
    """Return `name` with what no terminal can show as %XX, byte by byte.

    These are control characters, line separators, and bytes of a name that is not UTF-8, which
    Python keeps as lone surrogates.
    """
    return "".join(map(_shown, str(name)))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    escaped = "\udc80" <= character <= "\udcff"
    content = character.encode("utf-8", "surrogateescape" if escaped else "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in content)


def tally(values: Iterable[str]) -> dict[str, int]:
    """Return how often each value occurs, in sorted order."""
    return dict(sorted(Counter(values).items()))


def suffixes(names: Iterable[str]) -> str:
    """Return the suffixes of `names` with their counts: "12 .jpg, 3 without suffix"."""
    counts = Counter(suffix(name) or "without suffix" for name in names).most_common()
    return ", ".join(f"{count:,} {what}" for what, count in counts[:6])
