"""The winner is registered once, with a card; only the rule makes a champion."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from convlens import cli
from convlens.data import SPLITS
from convlens.errors import InputError
from convlens.evaluation.verdict import verdict
from convlens.files import read_json, write_csv, write_json
from convlens.models import keras_file
from convlens.params import RegistryParams
from convlens.runtime import describe
from convlens.tracking.registry import register

RULE = RegistryParams(min_accuracy=0.8, max_calibration_loss=0.01)
NAME = "convlens-convnet"


def results(accuracy=0.9, high=0.93, ece=0.05):
    return {"accuracy": accuracy, "accuracy_high": high, "ece": ece}


@pytest.mark.parametrize(
    ("new", "champion", "wins"),
    [
        (results(accuracy=0.8), None, True),
        (results(accuracy=0.79), None, False),
        (results(accuracy=0.94), results(), True),
        (results(accuracy=0.93), results(), False),
        (results(accuracy=0.94, ece=0.06), results(), True),
        (results(accuracy=0.94, ece=0.061), results(), False),
    ],
)
def test_rule(new, champion, wins):
    assert verdict(new, champion, RULE)[0] is wins


def trained(outputs, weights, accuracy, val=None):
    outputs.train(weights=weights, val=accuracy if val is None else val)
    return outputs.evaluate(weights=weights, accuracy=accuracy)


def command(*words):
    return CliRunner().invoke(cli.main, ["register", "convnet", *words])


@pytest.fixture
def here(outputs, root, monkeypatch):
    """The command line's working directory: a subfolder of the repository."""
    (outputs.root / "docs").mkdir()
    monkeypatch.chdir(outputs.root / "docs")
    shutil.copyfile(root / "params.yaml", outputs.root / "params.yaml")
    outputs.data()
    return outputs


def test_winner_is_registered_once(outputs, client):
    outputs.data()
    trained(outputs, "b" * 64, 0.85)
    trained(outputs, "a" * 64, 0.86, val=0.75)  # lucky on the test split
    first = register(outputs.root, "convnet", RULE)
    assert (first.name, first.version, first.champion) == (NAME, "1", True)
    assert first.run == "convnet · drawn · 0.850"
    again = register(outputs.root, "convnet", RULE)
    assert (again.version, again.reason) == ("1", "it is the champion already")

    trained(outputs, "c" * 64, 0.88)  # better, but inside the champion's interval (0.9)
    second = register(outputs.root, "convnet", RULE)
    assert (second.version, second.champion) == ("2", False)
    trained(outputs, "e" * 64, 0.95)
    assert register(outputs.root, "convnet", RULE).champion

    aliases = client().get_registered_model(NAME).aliases
    assert {alias: int(v) for alias, v in aliases.items()} == {"candidate": 3, "champion": 3}
    version = client().get_model_version(NAME, "1")
    for part in ("## Data", "## Recipe", "## Results", "## Limits", "## Licences", "0.8500"):
        assert part in version.description
    assert "train 4, validation 4, test 4" in version.description
    folder = client().get_model_version_download_uri(NAME, "1")
    assert "mlartifacts/models" in folder


def test_a_person_s_description_of_a_version_stays(outputs, client):
    outputs.data()
    trained(outputs, "b" * 64, 0.85)
    register(outputs.root, "convnet", RULE)
    client().update_model_version(NAME, "1", "for the fair on Sunday")
    register(outputs.root, "convnet", RULE)
    assert client().get_model_version(NAME, "1").description == "for the fair on Sunday"


def test_nothing_to_register(outputs, client):
    outputs.data()
    outputs.train()
    with pytest.raises(InputError, match="an evaluated run"):
        register(outputs.root, "convnet", RULE)
    assert client().search_registered_models() == []


def test_the_champion_s_run_is_deleted_and_purged(outputs, client):
    outputs.data()
    run_id = trained(outputs, "b" * 64, 0.85)
    register(outputs.root, "convnet", RULE)
    store = client()._tracking_client.store  # as `mlflow gc` does
    store.delete_run(run_id)
    store._hard_delete_run(run_id)
    trained(outputs, "c" * 64, 0.89)
    again = register(outputs.root, "convnet", RULE)
    assert (again.version, again.champion) == ("2", False)
    assert "(≤ 0.900)" in again.reason


@pytest.mark.parametrize("how", ["deleted in the UI", "files removed"])
def test_models_that_are_gone_are_no_winners_and_no_champions(outputs, client, how):
    def lose():
        if how == "files removed":
            shutil.rmtree(outputs.root / "mlartifacts/models")
            return
        experiment = client().get_experiment_by_name("convlens").experiment_id
        for logged in client().search_logged_models([experiment]):
            client().delete_logged_model(logged.model_id)

    outputs.data()
    run_id = trained(outputs, "b" * 64, 0.85)
    lose()
    with pytest.raises(InputError, match="models are gone"):
        register(outputs.root, "convnet", RULE)
    assert client().search_registered_models() == []
    assert outputs.sync("convnet") == run_id  # puts it back
    assert register(outputs.root, "convnet", RULE).champion
    lose()
    trained(outputs, "c" * 64, 0.82)
    again = register(outputs.root, "convnet", RULE)
    assert (again.version, again.champion) == ("2", True)
    assert again.reason.startswith("first")


def by_brightness(classes, side=8):
    """Return a net whose class k wins if the mean level is nearest to 60 k."""
    import keras

    images = keras.Input((side, side, 3))
    level = keras.layers.Rescaling(1 / 60)(keras.layers.GlobalAveragePooling2D()(images))
    model = keras.Model(images, keras.layers.Dense(len(classes), name="logit")(level))
    k = np.arange(len(classes))
    model.layers[-1].set_weights([np.tile(20.0 * k / 3, (3, 1)), -10.0 * k**2])
    return model


def prepare(outputs, digest, labels, side=8):
    """Prepare a test split of images of level 60 k for k in 0..2, twice, with these labels."""
    outputs.data(digest, {split: dict.fromkeys(outputs.classes, 2) for split in SPLITS})
    folder, levels = outputs.root / "data/prepared", np.repeat([0, 60, 120], 2)
    write_json(folder / "data.json", read_json(folder / "data.json") | {"classes": outputs.classes})
    rows = [{"path": f"{n}.jpg", "split": "test"} for n in range(6)]
    write_csv(folder / "manifest.csv", ["path", "split"], rows)
    np.save(
        folder / "test.npy", np.ones((6, side, side, 3), np.uint8) * levels[:, None, None, None]
    )
    np.save(folder / "test_labels.npy", np.array(labels, np.uint8))


def test_a_champion_of_other_data_is_tested_on_these_first(here, client, monkeypatch, tmp_path):
    monkeypatch.setattr("convlens.runtime.configure", lambda given: describe(given))  # once only
    here.classes = ["fox", "hen", "owl"]
    keras_file.save(by_brightness(here.classes), tmp_path / "net.keras")
    here.trained_file = (tmp_path / "net.keras").read_bytes()
    trained(here, "b" * 64, 0.85)
    assert "candidate and champion" in command().stdout
    prepare(here, "e" * 64, [0, 0, 1, 2, 2, 0])  # it is right on 4 of 6
    trained(here, "c" * 64, 0.97)
    said = command().stdout
    assert "version 2 is candidate (" in said
    assert "`convlens register convnet --retest`" in said
    done = command("--retest")
    assert "version 2 is candidate and champion (test accuracy 0.970 > 0.9" in done.stdout
    kept = client().get_model_version(NAME, "1").tags
    assert json.loads(kept["tested." + "e" * 12])["accuracy"] == pytest.approx(4 / 6)
    assert json.loads(kept["tested." + "d" * 12])["accuracy"] == 0.85

    for classes, side, found in ((here.classes, 9, "8 pixels"), (["ape", "bee"], 8, "fox, hen")):
        here.classes = classes
        prepare(here, str(side) * 64, [0] * 6, side)
        refused = command("--retest")
        assert refused.exit_code == 2
        assert "convlens-convnet version 2" in refused.stderr
        assert found in refused.stderr
        assert "remove its alias `champion`" in refused.stderr
    (here.root / "data/prepared/test.npy").unlink()
    assert "dvc repro prepare" in command("--retest").stderr


def test_command_says_version_alias_and_reason_or_what_to_run_first(here):
    missing = command()
    assert missing.exit_code == 2
    assert "make repro" in missing.stderr
    trained(here, "b" * 64, 0.85)
    assert command().stdout.startswith(f"{NAME} version 1 is candidate and champion (first")
