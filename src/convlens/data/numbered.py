"""Photos in one folder whose own names say their class: rose.12.jpg, sea_lion_3.jpg."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from convlens.class_names import fold

_DOT = re.compile(r"(.+)\.\d+\.[^.]+")  # rose.12.jpg
_LOW_LINE = re.compile(r"(.*[^\W\d_])_\d+\.[^.]+")  # sea_lion_3.jpg, but not 2021_08_30.jpg
# What cameras, phones and programs write before a number.
_GENERIC = re.compile(
    r"(camera|capture|c?img|clip|dji|download|dsc[fn]?|file|fig(ure)?|frame|gopr|im[ga]?|imgp|imag"
    r"|images?|mvimg|p|page|pano|photos?|pic|pict|pictures?|pxl|sam|scan|screenshot|slide|snapshot"
    r"|untitled|vid|video|wp)(?![^\W_])"
)


def classes(names: Iterable[str]) -> set[str]:
    """Return the classes that the photos' own names begin with; empty if that is not sure.

    A dot before the number is enough. A low line stands in many names that mean nothing, so all
    photos must have one, with at least two photos a class and no word of a camera's.
    """
    leaves = [PurePosixPath(name).name for name in names]
    dotted = {match[1] for leaf in leaves if (match := _DOT.fullmatch(leaf))}
    if len(dotted) > 1:
        return dotted
    lined = Counter(match[1] for leaf in leaves if (match := _LOW_LINE.fullmatch(leaf)))
    sure = lined.total() == len(leaves) and min(lined.values(), default=0) > 1
    generic = any(_GENERIC.match(fold(name)) for name in lined)
    return set(lined) if sure and len(lined) > 1 and not generic else dotted
