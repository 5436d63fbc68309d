"""Four kinds of drawings through the pipeline: every result knows all the classes by name."""

import pytest
from small_repository import SMALL, Repository, copy_repository

from convlens.files import read_csv, read_json

ANIMALS = ["cat", "dog", "rabbit", "bear"]
TINY = {
    "data": {"image_size": 48, "split": {"train": 12, "validation": 5, "test": 6}},
    "convnet": {"epochs": 1, "warmup_epochs": 0.5},
    "explain": {"faithfulness_images": 4, "faithfulness_steps": 2},
}


@pytest.fixture(scope="session")
def four(tmp_path_factory, ran) -> Repository:
    """A repository of the recipe drawn-four; of VGG16, whose maps take long, all but those."""
    repository = copy_repository(tmp_path_factory.mktemp("four"))
    given = (repository.folder / "params.yaml").read_text()
    repository.run("python", "tools/recipe.py", "drawn-four")
    assert (repository.folder / "params.yaml").read_text() != given
    weights = str(ran.folder / "data/weights/vgg16_base.npz")
    repository.change(SMALL | TINY | {"vgg16": SMALL["vgg16"] | {"weights": weights}})
    repository.run("dvc", "repro", "evaluate@convnet", "evaluate@vgg16", "explain@convnet")
    repository.run("python", "pipeline/report.py")
    return repository


@pytest.mark.slow
def test_four_kinds_of_animals_go_through_the_pipeline(four):
    data = read_json(four.folder / "data/prepared/data.json")
    assert data["classes"] == ANIMALS
    assert data["counts"]["test"] == dict.fromkeys(ANIMALS, 6)
    for model in ("convnet", "vgg16"):
        assert read_json(four.folder / f"models/{model}/classes.json") == ANIMALS
        out = four.folder / f"reports/{model}/evaluation"
        rows = read_csv(out / "predictions.csv")
        said = [f"probability_{name}" for name in ANIMALS]
        assert list(rows[0]) == ["path", "label", "predicted", "correct", *said]
        assert [row["class"] for row in read_csv(out / "classes.csv")] == ANIMALS
        metrics = read_json(out / "metrics.json")
        right = sum(row["correct"] == "1" for row in rows)
        assert metrics["accuracy"] == metrics["balanced_accuracy"] == right / len(rows)
    page = (four.folder / "reports/index.html").read_text()
    assert "cat, dog, rabbit or bear?" in page
    assert all(page.count(f'<th scope="row">{name}</th>') >= 2 for name in ANIMALS)
    assert (four.folder / "reports/convnet/explain/heatmaps/classes.png").is_file()
    shown = four.run("dvc", "plots", "show", "--json").stdout
    assert "reports/convnet/evaluation/roc.csv" in shown
