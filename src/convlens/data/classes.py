"""Which folders are which classes: found, or named, renamed, merged and left out by the user."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from convlens.class_names import fold

Asked = Sequence[str] | Mapping[str, Sequence[str]] | None  # data.classes

# Folders that are called otherwise than the classes of the photos in them.
_USUAL = {"cat": "cat", "cats": "cat", "dog": "dog", "dogs": "dog"}


@dataclass(frozen=True)
class Classes:
    """The classes in order, and the class of each folder, whose name is folded."""

    names: tuple[str, ...]
    folders: Mapping[str, str]

    def of(self, folder: str) -> str | None:
        """Return the class of a folder: "Cats" is "cat", as is any form that the user named."""
        return self.folders.get(fold(folder))


def asked_for(asked: Sequence[str] | Mapping[str, Sequence[str]]) -> Classes:
    """Return the classes of `data.classes`: names of folders, or each name's folders.

    A folder may be called in the plural, too.
    """
    forms = asked if isinstance(asked, Mapping) else {name: [name] for name in asked}
    exact = {fold(form): name for name, given in forms.items() for form in given}
    plural = {f"{form}s": name for form, name in exact.items()}
    return Classes(tuple(forms), plural | exact)


def found(folders: Iterable[str]) -> Classes:
    """Return a class for each folder, called like it, in alphabetical order.

    Only cats and dogs are called in the singular, as everywhere else.
    """
    named = {
        folder: _USUAL.get(fold(folder), unicodedata.normalize("NFC", folder))
        for folder in sorted(folders)
    }
    by_form = {fold(folder): name for folder, name in named.items()}
    return Classes(tuple(sorted(set(named.values()))), by_form)


CATS_AND_DOGS = asked_for(("cat", "dog"))
