"""What a trained network sees: arrays only; gallery draws them.

The package is also the function of its name: `from convlens import explain`.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(
        self,
        classifier: Any,
        photos: Any,
        *,
        layer: str | None = None,
        method: str = "grad-cam",
        classes: Any = None,
    ) -> Any:
        """Explain what `classifier` says of `photos`; see `convlens.gallery.explained.explain`."""
        # by name, since the report stands to the right of this package
        function = import_module("convlens.gallery.explained").explain
        return function(classifier, photos, layer=layer, method=method, classes=classes)


sys.modules[__name__].__class__ = _Callable
