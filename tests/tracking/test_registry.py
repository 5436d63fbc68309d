"""The winner is registered once, with a card; only the rule makes a champion."""

import shutil
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from convlens import cli
from convlens.errors import InputError
from convlens.params import RegistryParams
from convlens.tracking.registry import register, verdict

RULE = RegistryParams(min_accuracy=0.8, max_calibration_loss=0.01)


def run(model="a", data="d", accuracy=0.9, high=0.93, ece=0.05):
    metrics = {"test_accuracy": accuracy, "test_accuracy_high": high, "test_ece": ece}
    return SimpleNamespace(metrics=metrics, tags={"convlens.model": model, "data.digest": data})


@pytest.mark.parametrize(
    ("new", "champion", "wins"),
    [
        (run(accuracy=0.8), None, True),
        (run(accuracy=0.79), None, False),
        (run("b", accuracy=0.94), run(), True),
        (run("b", accuracy=0.93), run(), False),
        (run("b", accuracy=0.94, ece=0.06), run(), True),
        (run("b", accuracy=0.94, ece=0.061), run(), False),
        (run("b", "other", accuracy=0.99), run(), False),
        (run(), run(), True),
    ],
)
def test_rule(new, champion, wins):
    assert verdict(new, champion, RULE)[0] is wins


def trained(outputs, weights, accuracy, val=None):
    outputs.train(weights=weights, val=accuracy if val is None else val)
    outputs.evaluate(weights=weights, accuracy=accuracy)
    outputs.sync("convnet")


def test_winner_is_registered_once(outputs, client):
    outputs.data()
    trained(outputs, "b" * 64, 0.85)
    trained(outputs, "a" * 64, 0.86, val=0.75)  # lucky on the test split
    first = register(outputs.root, "convnet", RULE)
    assert (first.name, first.version, first.champion) == ("convlens-convnet", "1", True)
    assert first.run == "convnet · drawn · 0.850"
    assert register(outputs.root, "convnet", RULE).version == "1"

    trained(outputs, "c" * 64, 0.88)  # better, but inside the champion's interval (0.9)
    second = register(outputs.root, "convnet", RULE)
    assert (second.version, second.champion) == ("2", False)
    trained(outputs, "e" * 64, 0.95)
    assert register(outputs.root, "convnet", RULE).champion

    aliases = client().get_registered_model("convlens-convnet").aliases
    assert {alias: int(version) for alias, version in aliases.items()} == {
        "candidate": 3,
        "champion": 3,
    }
    card = client().get_model_version("convlens-convnet", "1").description
    for part in ("## Data", "## Recipe", "## Results", "## Limits", "## Licences", "0.8500"):
        assert part in card
    assert "train 4, validation 4, test 4" in card


def test_registered_model_names_its_files(outputs, client):
    outputs.data()
    trained(outputs, "b" * 64, 0.85)
    register(outputs.root, "convnet", RULE)
    version = client().get_model_version_by_alias("convlens-convnet", "champion")
    folder = client().get_model_version_download_uri("convlens-convnet", version.version)
    assert "mlartifacts/models" in folder


def test_nothing_to_register(outputs):
    outputs.data()
    outputs.train()
    outputs.sync("convnet")
    with pytest.raises(InputError, match="an evaluated run"):
        register(outputs.root, "convnet", RULE)


def test_command_says_version_alias_and_reason_or_what_to_run_first(outputs, root, monkeypatch):
    monkeypatch.chdir(outputs.root)
    shutil.copyfile(root / "params.yaml", "params.yaml")
    outputs.data()
    missing = CliRunner().invoke(cli.main, ["register", "convnet"])
    assert missing.exit_code == 2
    assert "make repro" in missing.stderr
    trained(outputs, "b" * 64, 0.85)
    done = CliRunner().invoke(cli.main, ["register", "convnet"])
    assert done.stdout.startswith("convlens-convnet version 1 is candidate and champion (first")
