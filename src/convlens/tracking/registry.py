"""The registry: the best run of a model is its candidate; a rule makes it the champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from convlens.errors import InputError
from convlens.params import RegistryParams
from convlens.tracking.card import card
from convlens.tracking.origin import data_digest, home
from convlens.tracking.store import session


@dataclass(frozen=True)
class Registered:
    """A version in the registry, and whether the rule made it champion."""

    name: str
    version: str
    run: str
    champion: bool
    reason: str


def register(root: Path, model: Literal["convnet", "vgg16"], rule: RegistryParams) -> Registered:
    """Register the winner among the runs of `model` on the data prepared under `root`.

    The winner has the highest validation accuracy, then the lowest log loss: chosen by its test
    accuracy, the best of many runs would look better than it is. It becomes a version of
    `convlens-<model>` with a model card, once however often it wins, and gets the alias
    `candidate`; `champion` too if `verdict` says so.

    Raises
    ------
    InputError
        If no evaluated run of this model on this data is in the store.
    TrackingUnavailable
        If the store cannot be used now.
    """
    place, digest = home(root), data_digest(root)
    with session(place) as (client, experiment):
        winner = _winner(client, experiment, model, digest)
        name = f"convlens-{model}"
        version = _version(client, name, winner)
        champion = _champion(client, name)
        wins, reason = verdict(winner.data, champion.data if champion else None, rule)
        client.set_registered_model_alias(name, "candidate", version)
        if wins:
            client.set_registered_model_alias(name, "champion", version)
        return Registered(name, version, winner.info.run_name, wins, reason)


def verdict(new: Any, champion: Any, rule: RegistryParams) -> tuple[bool, str]:
    """Tell whether `new` replaces `champion`, and why, from the data of their runs.

    It must beat the champion's test accuracy beyond the champion's interval on the same data,
    with a calibration error no more than `rule.max_calibration_loss` above the champion's.
    """
    accuracy, ece = new.metrics["test_accuracy"], new.metrics["test_ece"]
    if champion is None:
        wins = accuracy >= rule.min_accuracy
        sign = "≥" if wins else "<"
        return wins, f"first: test accuracy {accuracy:.3f} {sign} {rule.min_accuracy:.3f}"
    if new.tags["convlens.model"] == champion.tags["convlens.model"]:
        return True, "it is the champion already"
    if new.tags["data.digest"] != champion.tags["data.digest"]:
        return False, "the champion was tested on other data; test it on these first"
    high = champion.metrics["test_accuracy_high"]
    if accuracy <= high:
        return (
            False,
            f"test accuracy {accuracy:.3f} is inside the champion's interval (≤ {high:.3f})",
        )
    allowed = champion.metrics["test_ece"] + rule.max_calibration_loss
    if ece > allowed:
        return False, f"calibration error {ece:.3f} is above {allowed:.3f}"
    return True, f"test accuracy {accuracy:.3f} > {high:.3f}, calibration error {ece:.3f}"


def _winner(client: Any, experiment: str, model: str, digest: str) -> Any:
    query = (
        f"tags.`convlens.architecture` = '{model}' and tags.`data.digest` = '{digest}' "
        "and metrics.test_accuracy >= 0 and attributes.status = 'FINISHED'"
    )
    order = ["metrics.val_accuracy DESC", "metrics.val_loss ASC"]
    found = client.search_runs([experiment], query, order_by=order, max_results=1)
    if not found:
        raise InputError(
            f"store: {model}",
            expected="an evaluated run on the prepared data",
            found="none",
            fix="run `make repro`, then `convlens sync`",
        )
    return client.get_run(found[0].info.run_id)


def _version(client: Any, name: str, run: Any) -> str:
    """Return the version that holds the model of `run`, made on the first call."""
    digest = run.data.tags["convlens.model"]
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.tags.get("convlens.model") == digest:
            client.update_model_version(name, version.version, card(run))
            return str(version.version)
    model_id = run.outputs.model_outputs[0].model_id
    version = client.create_model_version(
        name,
        f"models:/{model_id}",
        run.info.run_id,
        {"convlens.model": digest},
        description=card(run),
        await_creation_for=0,
        model_id=model_id,
    )
    return str(version.version)


def _champion(client: Any, name: str) -> Any:
    """Return the run of the present champion, None if there is none."""
    aliases = client.get_registered_model(name).aliases
    if "champion" not in aliases:
        return None
    return client.get_run(client.get_model_version_by_alias(name, "champion").run_id)
