"""See what a trained model sees, and how far its heatmaps can be trusted."""

import io
from typing import Any

import numpy as np

from convlens import engines, files, paths
from convlens import runtime as rt
from convlens.data.archive import open_archive
from convlens.data.dataset import load_split
from convlens.data.drawn import masks
from convlens.params import ExplainParams, RuntimeParams
from convlens.progress import console
from stage import note_made, run


def main(explain: ExplainParams, runtime: RuntimeParams, net: str) -> None:
    """Write reports/NET/explain/."""
    machine = rt.configure(runtime)
    with engines.of(runtime) as engine:
        _explain(explain, machine.policy, net, {"progress": console, "engine": engine})


def _explain(explain: ExplainParams, policy: str, net: str, by: Any) -> None:
    from convlens.explain.classifier import Classifier
    from convlens.explain.measure import measure
    from convlens.gallery import class_evidence, explanation, photos_seen
    from convlens.gallery.faithfulness import removal
    from convlens.gallery.style import save
    from convlens.models import heads, keras_file

    folder, out = paths.trained(net), paths.explanation(net)
    model = keras_file.load(folder / paths.NET)
    classifier = Classifier(model, heads.load_names(folder, model))
    examples = explanation.read_examples(paths.EXAMPLES, classifier.size[0])
    few = explanation.first_of_classes(examples)
    layer, method = explain.layer.get(net) or classifier.default_layer, explain.method
    drawn: dict[str, Any] = {"colormap": explain.colormap}
    look = photos_seen.Look(layer, method, channel=explain.channel, **drawn)
    seen = photos_seen.see(classifier, examples, few, look, out, **by)
    rows = seen.depth.layers(np.stack([photo.pixels for photo in few]))
    explanation.write_depth(classifier, rows, out / "activations")
    names = explain.filters.layers.get(net, [])
    filters = explanation.write_filters(
        classifier, explain.filters, names, out / "filters", policy=policy, **by
    )
    heatmaps = out / "heatmaps"
    gap = explanation.write_methods(few, seen.few, heatmaps, layer=layer, **drawn)
    drawn["method"] = method
    class_evidence.write_classes(few, seen.few, heatmaps, layer=layer, **drawn)
    found = seen.heatmaps
    explanation.write_heatmaps(classifier, examples, found, heatmaps, **drawn)
    # for the report, which lays models over each other
    np.savez(
        heatmaps / "maps.npz", maps=found.maps, classes=found.classes,
        probabilities=found.probabilities,
    )  # fmt: skip

    images, masks = _measured_photos(explain.faithfulness_images)
    measured = measure(
        classifier, images, masks, layer=layer, method=method, steps=explain.faithfulness_steps,
        policy=policy, **by,
    )  # fmt: skip
    curves = removal(measured.curves, f"{net}: are the heatmaps true?")
    save(curves, heatmaps / "faithfulness.png")
    fallen = [{"layer": k, "rank_correlation": v} for k, v in measured.cascade.items()]
    files.write_csv(heatmaps / "randomised.csv", ("layer", "rank_correlation"), fallen)
    marks = {"model": keras_file.weights_digest(model)}
    files.write_json(out / paths.METRICS, measured.numbers | filters | gap | marks)
    note_made("explain", net, (path for path in out.rglob("*") if path.is_file()))


def _measured_photos(count: int) -> tuple[Any, dict[str, Any]]:
    """Return test photos, spread evenly over the classes, and for drawings their masks."""
    from PIL import Image

    test = load_split(paths.PREPARED, "test")
    rows = np.unique(np.linspace(0, len(test) - 1, count).round().astype(int))
    images = np.asarray(test.images[rows])
    tested = [r["path"] for r in files.read_csv(paths.MANIFEST) if r["split"] == "test"]
    names = [masks.mask_name(tested[row]) for row in rows]
    with open_archive(paths.SOURCE) as opened:
        if not set(names) <= set(opened.namelist()):
            return images, {}
        parts = [Image.open(io.BytesIO(opened.read(name))) for name in names]
    side = images.shape[1]
    return images, {
        "animal": np.stack([masks.animal_mask(mask, side) for mask in parts]),
        "parts": np.stack([masks.class_parts(mask, side) for mask in parts]),
    }


if __name__ == "__main__":
    run(main)
