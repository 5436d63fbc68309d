"""ConvLens shows what convolutional networks see, and trains two of them to be looked at.

>>> from convlens import Classifier, explain
>>> explain(Classifier.load("my.keras", classes="labels.txt"), "photo.jpg").save("seen")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier
    from convlens.gallery.explained import Explanation, explain

__version__ = "0.1.0"
__all__ = ["Classifier", "Explanation", "explain"]

# `explain` is no entry here: the package of that name is callable, see there.
_PLACES = {"Classifier": "convlens.explain.classifier", "Explanation": "convlens.gallery.explained"}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
