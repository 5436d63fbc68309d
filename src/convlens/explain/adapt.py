"""What a foreign net must have to be explained, and how its parts are found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convlens.errors import InputError
from convlens.explain import imagenet
from convlens.explain.graph import Graph, twin

if TYPE_CHECKING:
    from convlens.explain.classifier import Classifier

_HALF = ("float16", "bfloat16")


def check(graph: Graph) -> None:
    """Refuse a model of several inputs, of no image, of channels first, or with broken weights."""
    where = f"model {graph.name}"
    if len(graph.inputs) != 1:
        raise InputError(
            where, expected="one input, a photo", found=f"{len(graph.inputs)} inputs",
            fix="give keras.Model(photo, model([photo, …])) with the other inputs held constant",
        )  # fmt: skip
    shape = graph.shapes[graph.inputs[0]]
    if len(shape) != 4 or not shape[3]:
        raise InputError(
            where, expected="an input of shape (N, height, width, channels)", found=f"{shape}",
            fix="explain a net that takes photos",
        )  # fmt: skip
    for node in graph.nodes:
        if getattr(node.op, "data_format", None) == "channels_first":
            raise InputError(
                f"{where}, layer {node.name}", expected="data_format channels_last",
                found="channels_first", fix="build the model with channels last",
            )  # fmt: skip
    for weight in graph.weights():
        values = np.asarray(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise InputError(
                f"{where}, weights {weight.path}", expected="finite numbers",
                found=f"{int((~np.isfinite(values)).sum())} of {values.size} are NaN or infinite",
                fix="its training has diverged; take an earlier checkpoint",
            )  # fmt: skip


def check_photos(images: npt.NDArray[Any], shape: tuple[Any, ...], model: str) -> None:
    """Refuse photos that are not (N, H, W, c) as the model's input `shape` wants them."""
    sizes = zip(shape[1:], images.shape[1:], strict=False)
    if images.ndim != 4 or not all(size in (None, found) for size, found in sizes):
        raise InputError(
            f"model {model}, photos",
            expected=f"shape (N, {shape[1] or 'H'}, {shape[2] or 'W'}, {shape[3]})",
            found=f"shape {images.shape}", fix="resize them to what the model takes",
        )  # fmt: skip


def output(model: Any, graph: Graph, wanted: int | str | None) -> int:
    """Return the slot of the output asked for; where there is one, it need not be named."""
    names = list(getattr(model, "output_names", [])) or [str(n) for n in range(len(graph.outputs))]
    if wanted is None and len(graph.outputs) == 1:
        return graph.outputs[0]
    if isinstance(wanted, int) and 0 <= wanted < len(graph.outputs):
        return graph.outputs[wanted]
    if wanted in names:
        return graph.outputs[names.index(str(wanted))]
    raise InputError(
        f"model {graph.name}", expected="one output to explain: " + ", ".join(names),
        found=f"{len(names)} outputs and none chosen" if wanted is None else repr(wanted),
        fix="name it: Classifier(model, output=…)",
    )  # fmt: skip


def class_names(given: Sequence[str] | Path | str | None, count: int, model: str) -> list[str]:
    """Return the names of `count` classes; a file holds one a line."""
    if given is None:
        return [f"class {number}" for number in range(count)]
    if given == "imagenet":
        names = list(imagenet.class_names())
    elif isinstance(given, (str, Path)):
        names = _lines(Path(given))
    else:
        names = [str(name) for name in given]
    if len(names) != count:
        raise InputError(
            f"model {model}, classes", expected=f"{count} names, one for each class",
            found=f"{len(names)}", fix="give the list the model was trained with, in its order",
        )  # fmt: skip
    return names


def _lines(path: Path) -> list[str]:
    try:
        return [
            line.strip()
            for line in path.read_text(encoding="utf-8-sig").splitlines()
            if line.strip()
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            path, expected="a text file of class names, one a line", found=str(error),
            fix="name such a file",
        ) from error  # fmt: skip


def in_float32(graph: Graph) -> Graph:
    """Return `graph` with every 16-bit layer computing in float32, with the same weights."""
    import keras

    policy = keras.DTypePolicy("float32")
    if not any(_half(node.op) for node in graph.nodes):
        return graph
    return graph.changed(lambda op: with_policy(op, policy, _HALF, {}))


def _half(op: Any) -> bool:
    parts = op._flatten_layers() if hasattr(op, "_flatten_layers") else ()
    return any(layer.compute_dtype in _HALF for layer in parts)


def in_policy(graph: Graph, name: str, logits: int) -> Graph:
    """Return `graph` with hidden layers computing in policy `name`, with the same weights.

    Preprocessing and the layer that gives the logits keep theirs.
    """
    import keras

    policy = keras.DTypePolicy(name)
    last = graph.nodes[graph.makers[logits]].op
    pinned = {id(node.op) for node in graph.nodes if node.kind in ("Rescaling", "Normalization")}
    pinned.add(id(last))

    def change(op: Any) -> Any:
        return op if id(op) in pinned else with_policy(op, policy, ("float32",), {})

    return graph if name == "float32" else graph.changed(change)


def with_policy(op: Any, policy: Any, of: Sequence[str], made: dict[int, Any]) -> Any:
    """Return a twin of a layer, and of the layers within, that computes in `policy`.

    Only layers that compute in one of the types `of` change; `made` holds the twins by id.
    """
    import keras

    if not isinstance(op, keras.layers.Layer) or id(op) in made:
        return made.get(id(op), op)
    changed = {"_dtype_policy": policy} if op.compute_dtype in of else {}
    made[id(op)] = copy = twin(op, **changed)
    for key, value in op.__dict__.items():
        if isinstance(value, keras.layers.Layer):
            copy.__dict__[key] = with_policy(value, policy, of, made)
        elif isinstance(value, list) and any(isinstance(v, keras.layers.Layer) for v in value):
            copy.__dict__[key] = [with_policy(v, policy, of, made) for v in value]
    return copy


def behind_weights(classifier: Classifier) -> list[str]:
    """Return the layers of several places that some layer with weights stands before, in order.

    What only prepares the photo is not among them.
    """
    trained: set[int] = set()
    found = []
    names = {node.outputs[0]: name for name, node in classifier.nodes.items()}
    graph = classifier.graph
    for number in graph.path([classifier.source], [classifier.logits_slot]):
        node = graph.nodes[number]
        if (node.weighted and node.kind != "Normalization") or trained & set(node.inputs):
            trained.update(node.outputs)
        slot = node.outputs[0]
        if slot in names and slot in trained and min(classifier.sites[slot].grid) > 1:
            found.append(names[slot])
    return found


def crossed(classifier: Classifier) -> list[str]:
    """Return those layers `behind_weights` that all paths from the photo to the logits cross."""
    through = crossings(classifier.graph, classifier.source, classifier.logits_slot)
    names = behind_weights(classifier)
    return [name for name in names if classifier.nodes[name].outputs[0] in through]


def default_layer(classifier: Classifier) -> str:
    """Return the last of the `crossed` layers, or where there is none the last behind weights.

    Of a transformer's tokens it is the last whose places, not only the tokens in front of them,
    move the logits.
    """
    for name in reversed(classifier.crossed):
        if not classifier.sites[classifier.slot(name)].skip or _matters(classifier, name):
            return name
    others = behind_weights(classifier)
    if not others:
        raise InputError(
            f"model {classifier.name}", expected="a layer with maps of height and width",
            found="none", fix="explain it with pixel saliency",
        )  # fmt: skip
    return others[-1]


def crossings(graph: Graph, source: int, target: int) -> set[int]:
    """Return the slots that every path from `source` to `target` goes through."""
    needed = graph.path([source], [target])
    reached = {source}
    for number in needed:
        if reached & set(graph.nodes[number].inputs):
            reached.update(graph.nodes[number].outputs)
    readers: dict[int, int] = {target: len(graph.nodes)}
    for number in needed:
        readers |= {slot: number for slot in graph.nodes[number].inputs if slot in reached}
    found, open_until = set(), readers.get(source, -1)
    for number in needed:
        made = [slot for slot in graph.nodes[number].outputs if slot in reached and slot in readers]
        if made and open_until <= number and len(made) == 1:
            found.add(made[0])
        open_until = max([open_until, *(readers[slot] for slot in made)])
    return found


def _matters(classifier: Classifier, layer: str) -> bool:
    """Say whether the tokens of places, not only those in front, move the predicted class."""
    from convlens.explain.evidence import gather

    noise = np.random.default_rng(0).integers(0, 256, (1, *classifier.size, classifier.channels))
    return bool(gather(classifier, noise, (), [layer]).gradients[layer].any())
