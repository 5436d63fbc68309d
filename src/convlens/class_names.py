"""What a class may be called: its name is a column, a file and a row of tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MOST = 1000  # classes
LONGEST = 100  # characters of a name


def fold(name: str) -> str:
    """Return what two names share that differ in case, blanks or Unicode's spelling only."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def fault(names: Iterable[str]) -> str | None:
    """Return what is wrong with the names of a data set's classes, or None."""
    listed = list(names)
    if len(listed) < 2:
        return f"{len(listed)} class; two or more make a task"
    if len(listed) > MOST:
        return f"{len(listed):,} classes; at most {MOST:,} are possible"
    seen: dict[str, str] = {}
    for name in listed:
        if wrong := _wrong(name):
            return f"class {name!r}: {wrong}"
        if (twin := seen.get(fold(name))) is not None:
            alike = "differ in nothing but case, blanks or Unicode's spelling"
            return f"classes {twin!r} and {name!r} {alike}"
        seen[fold(name)] = name
    return None


def _wrong(name: str) -> str | None:
    if not name or name != name.strip():
        return "a name that is empty, or begins or ends with a blank"
    if len(name) > LONGEST:
        return f"a name of {len(name)} characters; at most {LONGEST} are possible"
    if name.startswith("."):
        return "a name that begins with a dot"
    if any(letter in "/\\" or unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return "a name with a slash, a backslash or a control character"
    return None
