"""The registry: the best run of a model is its candidate; a rule makes it the champion."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convlens.errors import InputError
from convlens.evaluation.verdict import verdict
from convlens.params import EvaluateParams, RegistryParams
from convlens.paths import PREPARED
from convlens.provenance import data_digest, home
from convlens.runtime import Runtime
from convlens.tracking.model import has_files, logged_model
from convlens.tracking.results import admitted
from convlens.tracking.store import session, store_uri
from convlens.tracking.words import card

_TESTED = "tested."  # and the data's digest: the tag that keeps a version's results on them
_NUMBERS = ("accuracy", "accuracy_low", "accuracy_high", "ece", "n")


@dataclass(frozen=True)
class Registered:
    """A version in the registry, and whether the rule made it champion."""

    name: str
    version: str
    run: str
    champion: bool
    reason: str


def register(root: Path, model: str, rule: RegistryParams) -> Registered:
    """Register the winner among the runs of `model` on the data prepared under `root`.

    The winner has the highest validation accuracy, then the lowest log loss: chosen by its test
    accuracy, the best of many runs would look better than it is. It becomes a version of
    `convlens-<model>` with a model card, once, and `candidate`; `champion` if `verdict` says so. A
    version keeps its results, by data, in its tags: runs may be deleted.

    Raises InputError if no evaluated run on this data, with its model, is in the store;
    TrackingUnavailable if the store cannot be used now.
    """
    name, data = admitted(f"convlens-{model}"), data_digest(root)
    tested = _TESTED + data[:12]
    with session(home(root)) as (client, experiment):
        run, model_id = _winner(client, experiment, model, data)
        new = {key: run.data.metrics[f"test_{key}"] for key in _NUMBERS}
        version = _version(client, name, run, model_id)
        client.set_model_version_tag(name, version, tested, json.dumps(new))
        champion = _champion(client, name)
        old = json.loads(champion.tags.get(tested, "null")) if champion else None
        if champion and str(champion.version) == version:
            wins, reason = True, "it is the champion already"
        elif champion and old is None:
            why = f"the champion, version {champion.version}, was not tested on these data"
            wins, reason = False, f"{why}: `convlens register {model} --retest` does that first"
        else:
            wins, reason = verdict(new, old, rule)
        for alias in ("candidate", "champion")[: 1 + wins]:
            client.set_registered_model_alias(name, alias, version)
        return Registered(name, version, run.info.run_name, wins, reason)


def retest(root: Path, model: str, params: EvaluateParams, machine: Runtime) -> None:
    """Score and keep the champion on the present test split; InputError if that is of others."""
    import mlflow.artifacts
    from mlflow.models import Model

    from convlens.evaluation.evaluate import evaluate_model
    from convlens.models import heads

    name, place = admitted(f"convlens-{model}"), home(root)
    with tempfile.TemporaryDirectory() as folder:
        with session(place) as (client, _):
            if not (champion := _champion(client, name)):
                return
            files = mlflow.artifacts.download_artifacts(
                client.get_model_version_download_uri(name, champion.version), dst_path=folder,
                tracking_uri=store_uri(place),
            )  # fmt: skip
        trained, logged = Path(files) / "artifacts", Model.load(files).flavors["python_function"]
        heads.save_names(trained, logged.get("config", {}).get("classes", []))
        try:
            found = evaluate_model(trained, root / PREPARED, Path(folder), params, machine).scores
        except InputError as error:
            if folder not in error.where:  # but the data's
                raise
            raise InputError(
                f"{name} version {champion.version}", expected=error.expected, found=error.found,
                fix="as it can't be tested on these data, remove its alias `champion` in the UI",
            ) from error  # fmt: skip
    numbers, tag = {key: found[key] for key in _NUMBERS}, _TESTED + data_digest(root)[:12]
    with session(place) as (client, _):
        client.set_model_version_tag(name, champion.version, tag, json.dumps(numbers))


def _winner(client: Any, experiment: str, model: str, data: str) -> tuple[Any, str]:
    query = (
        f"tags.`convlens.architecture` = '{model}' and tags.`data.digest` = '{data}' "
        "and metrics.test_accuracy >= 0"
    )
    order = ["metrics.val_accuracy DESC", "metrics.val_loss ASC", "tags.`convlens.look` ASC"]
    runs = client.search_runs([experiment], query, order_by=order)
    for run in runs:
        if model_id := logged_model(client, experiment, run.data.tags["convlens.model"]):
            return run, model_id
    raise InputError(
        f"store: {model}", expected="an evaluated run on the prepared data, with its model",
        found="runs whose models are gone" if runs else "none",
        fix="`dvc pull` or `make repro`, then `convlens sync`",
    )  # fmt: skip


def _version(client: Any, name: str, run: Any, model_id: str) -> str:
    """Return the version that holds the model of `run`, made on the first call."""
    source = f"models:/{model_id}"
    for there in client.search_model_versions(f"name = '{name}'"):
        if there.source == source:
            return str(there.version)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name, source, run.info.run_id, description=card(run), model_id=model_id
    )
    return str(made.version)


def _champion(client: Any, name: str) -> Any:
    """Return the version that is champion, if there is one and its model still exists."""
    from mlflow.exceptions import MlflowException

    try:
        version = client.get_model_version_by_alias(name, "champion")
        logged = client.get_logged_model(version.source.removeprefix("models:/"))
        return version if has_files(client, logged) else None
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
