"""What must hold for every net, whatever its kind; `python contract.py` writes the document."""

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from nets import APPLICATIONS, BUILT, build, photos

from convlens.explain import filters, layers, saliency
from convlens.explain.classifier import Classifier
from convlens.explain.depth import Depth, answers
from convlens.explain.evidence import gather
from convlens.explain.gradcam import heatmaps
from convlens.explain.maps import place
from convlens.explain.measure import measure

NAMES = [*APPLICATIONS, *BUILT]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/architectures.md"
HEAD = """# Which nets are explained

Written by `python tests/explain/contract.py`; `tests/explain/test_contract.py` proves each line and
fails where this page is stale. The nets of Keras Applications are built with `weights=None` at 96
pixels (InceptionV3 at 139), their BatchNorm statistics set from noise.

Proved of each: probabilities are those of `model.predict` (to 1e-6), the raw map is that of an
independent few-line Grad-CAM (to 1e-5 of its maximum), a planted pattern is found within a unit's
stride, units look where the placement says (from input gradients, with kernels of one tap, to
1 pixel); activations, saliency, ascent, depth, cascade and deletion run and give finite numbers.
The net in 16 bits is held to 1e-3, its map to 2 %: its own answers are rounded to that.

| net | layers with maps | default layer | its maps | stride | placement |
| --- | ---: | --- | --- | ---: | --- |
"""


@contextlib.contextmanager
def _as_written():
    """Run graphs as they are written: to optimise one takes longer than to run it a few times."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@_as_written()
def examine(name: str) -> str:
    """Prove all of one net; return its line of the document."""
    model = build(name)
    net = Classifier(model)
    layer = net.default_layer
    says_what_the_model_says(model, net)
    maps_are_those_of_a_few_lines(model, net, layer)
    maps_can_be_measured(model, net, layer)
    pixels_and_depth_are_seen(model, net)
    where = net.placement(layer)
    sharpen(model)
    placed = net if where.how == "exact" else Classifier(model)  # measured with the new weights
    finds_what_is_planted(model, net, placed, layer)
    units_look_where_they_are_said_to(model, placed, layer)
    high, wide = net.sites[net.slot(layer)].grid
    depth = net.graph.shapes[net.slot(layer)][-1]
    stride = " × ".join(f"{jump:.0f}" for jump in dict.fromkeys(where.jump))
    return (
        f"| {name} | {len(net.layers)} | `{layer}` | {high} × {wide} × {depth} | {stride} | "
        f"{where.how} |"
    )


def says_what_the_model_says(model, net):
    images = photos(model)
    found = net.probabilities(images)
    model.compile(run_eagerly=True)  # a graph of its own takes longer than the answer
    expected = model.predict(images, verbose=0).astype(np.float64)
    if expected.shape[1] == 1:
        expected = np.hstack([1 - expected, expected])
    tolerance = 1e-3 if net.graph is not net.exact else 1e-6  # predict itself rounds to 16 bits
    np.testing.assert_allclose(found, expected, atol=tolerance)


def maps_are_those_of_a_few_lines(model, net, layer):
    """Grad-CAM written anew, on models that Keras itself cuts out."""
    images = photos(model, 2)
    found = heatmaps(net, images, layer=layer, classes=1)
    site = net.sites[net.slot(layer)]
    with _without_activation(model) as (core, rest):
        (inside,) = [op.output for op in core.operations if op.name == layer]
        part = keras.Model(core.inputs, [inside, core.outputs[0]])

        def features_and_slope(given):
            with tf.GradientTape() as tape:
                maps, x = part(given)
                for behind in rest:
                    x = behind(x)
                score = tf.reshape(x, (2, -1))[:, -1 if net.width == 1 else 1]
            return tf.cast(maps, tf.float32), tf.cast(tape.gradient(score, maps), tf.float32)

        maps, slope = features_and_slope(tf.constant(images, tf.float32))
    if site.skip is not None:
        maps, slope = (tf.reshape(t[:, site.skip :], (2, *site.grid, -1)) for t in (maps, slope))
    raw = np.einsum("nhwk,nk->nhw", maps, np.mean(slope, axis=(1, 2)))
    tolerance = 1e-5 if net.graph is net.exact else 0.02  # theirs is rounded to 16 bits
    peak = np.abs(raw).max(axis=(1, 2), keepdims=True)
    assert peak.min() > 0
    np.testing.assert_allclose(found.raw / peak, raw / peak, rtol=0, atol=tolerance)


@contextlib.contextmanager
def _without_activation(model):
    """Yield the flat model that holds the maps, and the layers behind it, up to the logits."""
    bases = [part for part in model.layers if part.name == "base"]
    core = bases[0] if bases else model
    rest = model.layers[model.layers.index(core) + 1 :] if bases else []
    rest = [inner for part in rest for inner in getattr(part, "layers", [part])]
    rest = [part for part in rest if not isinstance(part, keras.layers.Softmax)]
    last = rest[-1] if rest else core.layers[-1]
    activation, last.activation = last.activation, keras.activations.linear
    try:
        yield core, rest
    finally:
        last.activation = activation


def finds_what_is_planted(model, net, placed, layer):
    """A head that knows a pattern from one place, and its heatmaps where the pattern is elsewhere.

    The kernel of the logits becomes the difference that the pattern makes to what they see; what
    it adds to the map of an empty photo must be most where it is.
    """
    _, high, wide, channels = photos(model, 1).shape
    grey = np.full((1, high, wide, channels), 127, np.uint8)
    where = placed.placement(layer, (high, wide))
    grid = [(size - 8 - start) // jump + 1 for size, start, jump in
            zip((high, wide), where.start, where.jump, strict=True)]  # fmt: skip
    units = [(grid[0] // 2, grid[1] // 2), (grid[0] // 2, grid[1] - 1), (grid[0] - 1, grid[1] // 2)]
    spots = np.round(where.start + np.array(units) * where.jump).astype(int)
    images = np.concatenate([grey, *(_planted(grey, spot) for spot in spots)])
    node = net.graph.nodes[net.graph.makers[net.logits_slot]]
    while not node.weighted:
        node = net.graph.nodes[net.graph.makers[node.inputs[0]]]
    given = {net.source: tf.constant(net.prepare(images[:2]))}
    head_sees = np.asarray(net.exact.run(given, node.inputs)[0], np.float64).reshape(2, -1)
    kernel = np.zeros(node.layer.kernel.shape)
    difference = head_sees[1] - head_sees[0]
    kernel[..., -1 if net.width == 1 else 1] = difference / np.abs(difference).max()
    before = node.layer.get_weights()
    node.layer.set_weights([kernel, *before[1:]])
    raw = heatmaps(net, images, layer=layer, classes=1).raw
    node.layer.set_weights(before)
    for heat, spot in zip(place(raw[1:] - raw[:1], high, wide, where.axes), spots, strict=True):
        peak = np.argwhere(heat == heat.max())  # from the outermost unit on to the edge
        near = np.abs(peak - spot) <= np.maximum(where.jump, 8)
        assert near.all(axis=1).any(), (spot, peak)


def _planted(grey, spot):
    image = grey.copy()
    y, x = (slice(max(0, middle - 8), middle + 8) for middle in spot)
    checks = np.where(np.indices(grey.shape[1:3]).sum(axis=0) // 4 % 2, 255, 0)
    image[:, y, x] = checks[y, x, None]
    return image


def maps_can_be_measured(model, net, layer):
    """Cascade, deletion and insertion give finite numbers."""
    numbers = measure(net, photos(model, 1), {}, layer=layer, steps=3).numbers
    assert np.isfinite(list(numbers.values())).all()
    assert abs(numbers["randomised_correlation"]) <= 1


def pixels_and_depth_are_seen(model, net):
    """Ascent, saliency, activations and depth give finite numbers."""
    images = photos(model, 1)
    first = layers.convolutions(net)[0]
    found = filters.ascend(net, first, [0, 1], size=32, steps=2)
    assert np.isfinite(found.end).all()
    assert saliency.smooth_grad(net, images, samples=2).any()
    depth = Depth(net)
    depth.add(answers(gather(net, images, [first]).maps))
    assert depth.layers(images)[0]["effective_field"] > 0


def sharpen(model):
    """Leave each kernel its middle tap, and no gates: units then see a few pixels."""
    for part in model._flatten_layers():
        gate = "_se_" in part.name or "squeeze" in part.name
        for kernel in part.trainable_weights if "onv" in type(part).__name__ else ():
            if len(kernel.shape) == 4:
                kernel.assign(_one_tap(np.asarray(kernel), gate))


def units_look_where_they_are_said_to(model, net, layer):
    """What moves a middle unit, on noise, has its centre where the unit is said to look.

    Attention, which looks at all places alike, is left out.
    """
    for part in model._flatten_layers():
        if isinstance(part, keras.layers.MultiHeadAttention):
            part._output_dense.kernel.assign(0 * part._output_dense.kernel)
    shape, draw, seen = photos(model, 16).shape, np.random.default_rng(8), []
    said_to, slot = net.placement(layer, shape[1:3]), net.slot(layer)

    @tf.function  # else the slopes of all kernels are computed, too
    def slope(inputs, signs):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            (maps,) = net.exact.run({net.source: inputs}, [slot])
            maps = tf.cast(net.maps(maps, layer), tf.float32)
            middle = (tf.shape(maps)[1:3] - 1) // 2
            total = tf.reduce_sum(maps[:, middle[0], middle[1]] * signs)
        return tape.gradient(total, inputs), middle

    for _ in range(16):  # poolings spread the gradient: as many photos as their centre takes
        inputs = tf.constant(net.prepare(draw.integers(0, 256, shape)))
        signs = draw.choice([-1.0, 1.0], (len(inputs), net.graph.shapes[slot][-1]))
        slopes, middle = slope(inputs, tf.constant(signs, tf.float32))
        energy = (np.asarray(slopes) ** 2).sum(axis=3)
        moments = [_moment(energy), _moment(energy.swapaxes(1, 2))]
        seen.append(np.stack([energy.sum(axis=(1, 2)), *moments]))
        whole, *moments = np.concatenate(seen, axis=1)
        centre = np.sum(moments, axis=1) / whole.sum()
        apart = np.subtract(moments, centre[:, None] * whole)
        if (np.sqrt((apart**2).sum(axis=1)) < 0.3 * whole.sum()).all():
            break
    said = said_to.start + np.asarray(middle) * said_to.jump
    assert (np.abs(centre - said) <= 1).all(), (centre, said, said_to)


def _moment(energy):
    return energy.sum(axis=2) @ np.arange(energy.shape[1])


def _one_tap(kernel, gate):
    high, wide = kernel.shape[:2]
    mask = np.zeros_like(kernel)
    if not gate:
        mask[(high - 1) // 2 : high // 2 + 1, (wide - 1) // 2 : wide // 2 + 1] = 1
    return kernel * mask


def document(lines: Iterable[str]) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    wanted = sys.argv[1:] or NAMES
    text = document(examine(name) for name in wanted)
    if sys.argv[1:]:
        sys.stdout.write(text)
    else:
        DOCUMENT.write_text(text, encoding="utf-8")
