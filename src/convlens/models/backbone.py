"""A net on a base that learned before: whole, and the parts of it that a training runs alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.errors import InputError
from convlens.models import heads, keras_file, registry
from convlens.params import BaseParams

if TYPE_CHECKING:
    import keras


def base(net: str, weights: Path, preprocessing: str, image_size: int) -> keras.Model:
    """Return a net's base in float32, from photos (N, S, S, 3), RGB in 0..255, to its last maps.

    `weights` is what `registry.fetch` wrote.

    Raises
    ------
    InputError
        If there is no such base, it takes no photos of that size, or the weights aren't its own.
    """
    import keras

    row = registry.find(net)
    if row is None:
        raise InputError(
            f"net {net}", expected="a net that learned from ImageNet", found="one from scratch",
            fix="train it on the photos",
        )  # fmt: skip
    photo = keras.Input((image_size, image_size, 3), name="image")
    model = keras.Model(photo, row.maps(photo, preprocessing), name=re.sub(r"[^\w-]", "_", net))
    registry.load(model, row, weights, preprocessing)
    return model


def whole(base: keras.Model, params: BaseParams, classes: int) -> keras.Model:
    """Return the flat net of `base`'s own layers under a fresh head: photos to logits."""
    import keras

    return keras.Model(base.input, heads.head(base.output, params, classes), name=base.name)


def maps_of(base: keras.Model, layer: str | None) -> Any:
    """Return the tensor of the maps of `layer`; of the last ones without.

    Raises
    ------
    InputError
        If the base has no such layer, or what follows it needs more than its maps.
    """
    import keras

    if layer is None:
        return base.output
    try:
        found = base.get_layer(layer).output
        if found is not base.output:
            keras.Model(found, base.output)
    except ValueError as error:
        raise InputError(
            f"features.layer.{base.name}", expected="a layer that all behind it goes through",
            found=layer, fix=f"name another one; the last are {', '.join(_after(base))}",
        ) from error  # fmt: skip
    return found


def between(start: Any, end: Any, policy: str) -> keras.Model:
    """Return a copy of the layers from the tensor `start` to `end`, computed in `policy`.

    Its layers have the names and weights of those they are copied from.
    """
    import keras

    return keras_file.with_policy(keras.Model(start, end), policy)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give each layer of `target` that `source` has by name the weights it has there."""
    trained = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        if layer.weights and layer.name in trained:
            layer.set_weights(trained[layer.name].get_weights())


def _after(base: keras.Model) -> list[str]:
    return [layer.name for layer in base.layers if len(layer.output.shape) == 4][-8:]
