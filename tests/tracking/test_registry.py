"""The winner is registered once, with a card; only the rule makes a champion."""

import json
import shutil

import pytest
from click.testing import CliRunner

from convlens import cli
from convlens.errors import InputError
from convlens.evaluation import evaluate
from convlens.evaluation.verdict import verdict
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
    assert register(outputs.root, "convnet", RULE).version == "1"

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


def test_deleted_models_are_no_winners_and_no_champions(outputs, client):
    outputs.data()
    run_id = trained(outputs, "b" * 64, 0.85)
    client().delete_logged_model(client().get_run(run_id).outputs.model_outputs[0].model_id)
    with pytest.raises(InputError, match="models were deleted"):
        register(outputs.root, "convnet", RULE)
    assert client().search_registered_models() == []
    assert outputs.sync("convnet") == run_id  # puts it back
    assert register(outputs.root, "convnet", RULE).champion
    (left,) = client().search_logged_models(
        [client().get_experiment_by_name("convlens").experiment_id]
    )
    client().delete_logged_model(left.model_id)
    trained(outputs, "c" * 64, 0.82)
    again = register(outputs.root, "convnet", RULE)
    assert (again.version, again.champion) == ("2", True)
    assert again.reason.startswith("first")


def test_a_champion_of_other_data_is_tested_on_these_first(here, client, monkeypatch):
    trained(here, "b" * 64, 0.85)
    assert "candidate and champion" in command().stdout
    here.data(digest="e" * 64)
    trained(here, "c" * 64, 0.88)
    said = command().stdout
    assert "version 2 is candidate (" in said
    assert "`convlens register convnet --retest`" in said

    scored = []

    class Measured:
        scores = results(accuracy=0.7, high=0.8, ece=0.1) | {
            "accuracy_low": 0.6,
            "n": 4,
            "log_loss": 1.0,
        }

    def fake(folder, prepared, *_):
        scored.append(((folder / "model.keras").read_text(), prepared))
        return Measured

    class Net:
        input_shape = (None, 150, 150, 3)

    monkeypatch.setattr(evaluate, "evaluate_model", fake)
    monkeypatch.setattr("convlens.runtime.configure", lambda given: describe(given))  # once only
    monkeypatch.setattr("convlens.models.keras_file.load", lambda _: Net)
    done = command("--retest")
    assert "version 2 is candidate and champion (test accuracy 0.880 > 0.800" in done.stdout
    assert scored == [("b" * 64, here.root / "data/prepared")]
    kept = client().get_model_version(NAME, "1").tags
    assert json.loads(kept["tested." + "e" * 12])["accuracy"] == 0.7
    assert json.loads(kept["tested." + "d" * 12])["accuracy"] == 0.85


def test_command_says_version_alias_and_reason_or_what_to_run_first(here):
    missing = command()
    assert missing.exit_code == 2
    assert "make repro" in missing.stderr
    trained(here, "b" * 64, 0.85)
    assert command().stdout.startswith(f"{NAME} version 1 is candidate and champion (first")
