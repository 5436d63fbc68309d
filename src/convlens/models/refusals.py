"""Why a file is no model that can be loaded, and what its owner can do about it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convlens.errors import InputError
from convlens.paths import NET, TRAINED

HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5")
_CARRY_CODE = {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
_ITSELF = "pass the model itself: convlens.explain(convlens.Classifier(model), 'photo.jpg')"
_SAVE = "save the whole model where it was made: model.save('my.keras')"


def of_the_file(path: Path) -> InputError | None:
    """Return what is wrong with a file that Keras can't even open; None if it might be a model."""
    trained_here = path.name == NET and path.parent.parent.name == TRAINED.name
    if path.is_dir():
        found, fix = "a folder, perhaps TensorFlow's SavedModel, which Keras 3 reads no more", _SAVE
    elif not path.exists():
        found = "no such file"
        fix = "run `make repro` first" if trained_here else "name a .keras or .h5 file that exists"
    elif not (right := _suffixes(path)):
        found = "neither Keras' zip nor HDF5, or cut off"
        fix = "`make repro` makes it anew" if trained_here else _SAVE
    elif path.suffix not in right:
        found = f"its content is that of a {right[0]} file"
        fix = f"rename it to {path.with_suffix(right[0]).name}"
    else:
        return None
    return _refused(path, found, fix)


def of_the_content(path: Path, error: Exception) -> InputError:
    """Return why Keras refused `path` with `error`, by the names of the layers where they say it.

    Layers that carry code and classes that aren't Keras' are never run to find out.
    """
    try:
        config, version = _stored(path)
    except Exception:  # whatever is damaged raises errors of its own
        return _refused(path, f"damaged: {_first_line(error)}", "copy it again from where it was")
    if config is None:
        return _refused(path, "weights alone, without the net they belong to", _SAVE)
    layers = list(_layers(config))
    if code := [f"{name} ({kind})" for name, kind, _ in layers if kind in _CARRY_CODE]:
        fix = (
            "save it again with Keras' layers in their place (x / 255 is Rescaling(1 / 255)); "
            f"or, if you trust it, load it yourself and {_ITSELF}"
        )
        return _refused(path, f"layers that carry code: {', '.join(code)}", fix)
    if foreign := [f"{name} ({kind})" for name, kind, known in layers if not known]:
        fix = f"load it in Python, where these classes are defined, and {_ITSELF}"
        return _refused(path, f"layers that Keras doesn't have: {', '.join(foreign)}", fix)
    fix = f"use the Keras that saved it{version}; or load it yourself and {_ITSELF}"
    return _refused(path, _first_line(error), fix)


def _refused(path: Path, found: str, fix: str) -> InputError:
    expected = "a whole Keras model (.keras or .h5) of Keras' own layers"
    return InputError(path, expected=expected, found=found, fix=fix)


def _suffixes(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        if file.read(len(HDF5)) == HDF5:
            return _HDF5_SUFFIXES
    return (".keras",) if zipfile.is_zipfile(path) else ()


def _stored(path: Path) -> tuple[Any, str]:
    """Return a model's configuration, None if there is none, and the Keras that wrote it."""
    if path.suffix in _HDF5_SUFFIXES:
        import h5py

        with h5py.File(path) as file:
            text = file.attrs.get("model_config")
            return text if text is None else json.loads(text), ""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "config.json" not in names:
            return None, ""
        metadata = json.loads(archive.read("metadata.json")) if "metadata.json" in names else {}
        version = metadata.get("keras_version", "")
        return json.loads(archive.read("config.json")), f" ({version})" if version else ""


def _layers(config: Any, top: bool = True) -> Iterator[tuple[str, str, bool]]:
    """Yield each layer's and function's name, its class, and whether Keras knows it now."""
    if isinstance(config, list):
        for part in config:
            yield from _layers(part, top=False)
    elif isinstance(config, dict):
        kind, inside = config.get("class_name"), config.get("config")
        if kind == "function" and isinstance(inside, str):
            yield inside, "a function", _known(config, inside)
        elif kind and isinstance(inside, dict) and (top or "name" in inside):
            yield str(inside.get("name", kind)), kind, _known(config, kind)
        for part in config.values():
            yield from _layers(part, top=False)


def _known(config: dict[str, Any], name: str) -> bool:
    import keras

    if keras.saving.get_registered_object(config.get("registered_name") or name) is not None:
        return True
    module = config.get("module", "keras")  # HDF5 files name no modules
    places = (keras, keras.layers, keras.models, keras.activations, keras.ops, keras.initializers)
    if module == "builtins" or "module" not in config:
        return name == "Functional" or any(hasattr(place, name) for place in places)
    return str(module).partition(".")[0] == "keras"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0][:200] if text else 'no reason given'}"
