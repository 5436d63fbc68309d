"""Runs with different classes stand in one table, whatever the classes are called."""

import numpy as np

from convlens.data import SPLITS
from convlens.evaluation import metrics

TWO, FOUR = ("cat", "dog"), ("cat", "Canis, familiaris (wild)", "\u718a", "a:b*c?")


def test_a_table_of_two_and_four_classes_has_no_empty_column(outputs, client):
    rng = np.random.default_rng(0)
    for classes in (TWO, FOUR):
        outputs.figure(f"data/contact/{classes[-1]}.png")
        mark = str(len(classes)) * 64
        outputs.params["data"]["classes"] = list(classes)
        outputs.data(mark, {split: dict.fromkeys(classes, 2) for split in SPLITS})
        logits = rng.normal(size=(24, len(classes)))
        scored = metrics.Scored(np.arange(24) % len(classes), logits)
        outputs.train(weights=mark)
        outputs.evaluate(weights=mark, **metrics.scores(scored, 0.95, 10))
    read = client()
    experiment = read.get_experiment_by_name("convlens")
    found = read.search_runs([experiment.experiment_id])
    runs = {
        (run.data.tags.get("convlens.architecture", "data"),
         run.data.params["data.classes"].count("', '") + 1): run.data
        for run in found
    }  # fmt: skip
    for kind in ("data", "convnet"):
        two, four = runs[kind, 2], runs[kind, 4]
        assert two.metrics.keys() == four.metrics.keys()
        assert two.params.keys() == four.params.keys()
    assert {"classes": 4, "images_train": 8}.items() <= runs["data", 4].metrics.items()
    shared = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "roc_auc", "brier", "ece")
    assert {f"test_{key}" for key in shared} <= runs["convnet", 4].metrics.keys()
