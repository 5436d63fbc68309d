"""Other classes than two animals through the whole pipeline: every result knows them by name."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_repository import ROOT, SMALL, Repository, copy_repository

from convlens.data.dataset import load_split
from convlens.evaluation.metrics import Scored, log_loss
from convlens.evaluation.predict import logits
from convlens.files import read_csv, read_json, write_csv
from convlens.models import efficientnet_lite0, keras_file

ANIMALS = ["cat", "dog", "rabbit", "bear"]
SPECIES = {"cat": "Felis catus", "dog": "Canis, familiaris", "rabbit": "Kaninchen"}
TINY = {
    "data": {"image_size": 48, "split": {"train": 12, "validation": 5, "test": 6}},
    "convnet": {"epochs": 1, "warmup_epochs": 0.5},
    "explain": {"faithfulness_images": 4, "faithfulness_steps": 2},
}
LITE0 = "efficientnet-lite0"


def run_all(repository: Repository, weights: Path, net: str, changes: dict) -> None:
    """Run the convnet and `net`, whose base is in `weights`: those of VGG16 are in `ran`."""
    nets = ["convnet", net]
    repository.change(SMALL | TINY | {"nets": nets, net: SMALL["vgg16"]})
    repository.change(changes)
    base = repository.folder / f"data/weights/{net}_base.npz"
    base.parent.mkdir()
    base.symlink_to(weights)
    stages = [f"{name}@{each}" for name in ("train", "evaluate") for each in nets]
    first = ("fetch", "prepare", *(f"extract_features@{each}" for each in nets))
    # show_views leaves TensorFlow's threads as they are, so it can't come before who sets them
    every = (*first, *stages, "explain@convnet", "show_views", "report")
    repository.run("python", str(ROOT / "tests/pipeline/one_process.py"), *every)


@pytest.fixture(scope="session")
def weights(ran) -> Path:
    return ran.folder / "data/weights/vgg16_base.npz"


@pytest.fixture(scope="session")
def four(tmp_path_factory, weights) -> Repository:
    """A repository of the recipe drawn-four."""
    repository = copy_repository(tmp_path_factory.mktemp("four"))
    given = (repository.folder / "params.yaml").read_text()
    repository.run("python", "tools/recipe.py", "drawn-four")
    assert (repository.folder / "params.yaml").read_text() != given
    run_all(repository, weights, "vgg16", {})
    return repository


@pytest.fixture(scope="session")
def table(tmp_path_factory, four) -> Repository:
    """A repository of photos in one folder, with a table of their labels."""
    repository = copy_repository(tmp_path_factory.mktemp("table"))
    photos = repository.folder / "photos"
    photos.mkdir()
    rows = []
    with zipfile.ZipFile(four.folder / "data/raw/source.zip") as drawn:
        for number, name in enumerate(drawn.namelist()):
            animal = Path(name).parent.name.removesuffix("s")
            if name.startswith("drawn/") and animal in SPECIES:
                (photos / f"{number}.jpg").write_bytes(drawn.read(name))
                rows.append({"Image Name": str(number), "species": SPECIES[animal]})
    write_csv(photos / "labels.csv", list(rows[0]), rows)
    split = {"train": 0.5, "validation": 0.25, "test": 0.25}
    data = {"source": "archive", "archive": str(photos), "split": split, "examples": 1}
    weights = tmp_path_factory.mktemp("weights") / "random.npz"
    net = efficientnet_lite0.build(48)
    arrays = {f"{each.name}/{w.name}": w.numpy() for each in net.layers for w in each.weights}
    np.savez(weights, **arrays)
    tuned = {
        "features": {"layer": {LITE0: "block7a_project_norm"}},
        LITE0: {"fine_tune": {"epochs": 1}},
    }
    run_all(repository, weights, LITE0, {"data": data} | tuned)
    return repository


@pytest.mark.slow
@pytest.mark.parametrize("made", ["four", "table"])
def test_classes_go_through_the_whole_pipeline(made, request):
    repository = request.getfixturevalue(made)
    names = ANIMALS if made == "four" else sorted(SPECIES.values())
    data = read_json(repository.folder / "data/prepared/data.json")
    assert data["classes"] == names
    tested = data["counts"]["test"]
    for model in ("convnet", "vgg16" if made == "four" else LITE0):
        assert read_json(repository.folder / f"models/{model}/classes.json") == names
        out = repository.folder / f"reports/{model}/evaluation"
        rows = read_csv(out / "predictions.csv")
        said = [f"probability_{name}" for name in names]
        assert list(rows[0]) == ["path", "label", "predicted", "correct", *said]
        assert [row["class"] for row in read_csv(out / "classes.csv")] == names
        metrics = read_json(out / "metrics.json")
        right = sum(row["correct"] == "1" for row in rows)
        assert metrics["accuracy"] == right / len(rows)
        recalls = [
            sum(row["correct"] == "1" for row in rows if row["label"] == name) / tested[name]
            for name in names
        ]
        assert metrics["balanced_accuracy"] == pytest.approx(sum(recalls) / len(names))
    assert (repository.folder / "reports/convnet/explain/heatmaps/classes.png").is_file()
    page = (repository.folder / "reports/index.html").read_text()
    assert f"{', '.join(names[:-1])} or {names[-1]}?" in page
    assert all(page.count(f'<th scope="row">{name}</th>') >= 2 for name in names)


@pytest.mark.slow
def test_the_table_says_what_each_photo_shows(table):
    given = {
        row["Image Name"]: row["species"] for row in read_csv(table.folder / "photos/labels.csv")
    }
    manifest = read_csv(table.folder / "data/prepared/manifest.csv")
    assert {Path(row["path"]).stem: row["label"] for row in manifest} == given


@pytest.mark.slow
def test_fine_tuning_moves_the_last_layers_and_no_batch_statistics(table):
    before = np.load((table.folder / f"data/weights/{LITE0}_base.npz").resolve())
    net = keras_file.load(table.folder / f"models/{LITE0}/model.keras")
    moved = {
        f"{layer.name}/{weight.name}"
        for layer in net.layers
        for weight in layer.weights
        if f"{layer.name}/{weight.name}" in before.files
        and not np.array_equal(weight.numpy(), before[f"{layer.name}/{weight.name}"])
    }
    assert moved == {"top_conv/kernel"}
    split = load_split(table.folder / "data/prepared", "validation")
    loss = log_loss(Scored(split.labels, logits(net, split.images)))
    reported = read_json(table.folder / f"models/{LITE0}/metrics.json")["val_loss"]
    assert loss == pytest.approx(reported, abs=2e-3)  # of features that were kept in float16


@pytest.mark.slow
def test_dvc_draws_the_curves_of_four_classes(four):
    shown = four.run("dvc", "plots", "show", "--json").stdout
    assert "reports/convnet/evaluation/roc.csv" in shown
