"""What folders of splits are called."""

from __future__ import annotations

import re

SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "tests"), "test"),
}
_SET = re.compile(r"(data|image|img|photo|picture)?s?(set|split|folder|data|images|imgs|photos)?$")


def split_of(folder: str) -> str | None:
    """Return the split that a folder's name means: "Training_Set" → "train"."""
    plain = re.sub(r"[\W_]+", "", folder.lower())
    for name, split in SPLIT_FOLDERS.items():
        if plain.startswith(name) and _SET.match(plain[len(name) :]):
            return split
    return None
