"""What makes two runs different, what they say they ran with, and whose words stay."""

import copy

import pytest

from convlens.errors import InputError

METHOD = ("explain", "method", "layer-cam")


def change(outputs, section, key, value):
    outputs.params = copy.deepcopy(outputs.params)
    outputs.params[section][key] = value


def test_parameters_are_those_that_ran(outputs, client):
    outputs.data()
    outputs.all()
    rate = outputs.params["convnet"]["learning_rate"]
    change(outputs, "convnet", "learning_rate", 9.0)  # edited, nothing rerun
    outputs.fresh_store()
    run = client().get_run(outputs.sync("convnet"))
    assert run.data.params["convnet.learning_rate"] == str(rate)


@pytest.mark.parametrize("damage", ["edited", "no stage in dvc.lock"])
def test_files_that_the_lock_does_not_tell_of_are_not_tracked(outputs, damage):
    outputs.data()
    outputs.train()
    if damage == "edited":
        with (outputs.root / "models/convnet/metrics.json").open("a") as file:
            file.write("\n")
    else:
        (outputs.root / "dvc.lock").unlink()
    with pytest.raises(InputError, match=r"metrics\.json"):
        outputs.sync("convnet")


def test_another_explanation_is_another_run_and_the_first_stays(outputs, client, monkeypatch):
    outputs.data()
    first = outputs.all()
    before, held = client().get_run(first).to_dictionary(), dict(outputs.params)
    monkeypatch.setenv("DVC_EXP_NAME", "warm")
    change(outputs, "evaluate", "confidence", 0.99)
    change(outputs, *METHOD)
    second = outputs.evaluate(accuracy=0.7)
    assert "explain.method" not in client().get_run(second).data.params  # not made yet
    assert outputs.explain(energy=0.9) == second != first
    run = client().get_run(second)
    assert run.info.run_name == "convnet · drawn · 0.700 · warm"
    assert run.data.tags["dvc.exp"] == "warm"
    assert run.data.params["explain.method"] == "layer-cam"
    assert run.data.metrics["explain_energy_animal"] == 0.9
    models = [client().get_run(r).outputs.model_outputs[0].model_id for r in (first, second)]
    assert models[0] == models[1]
    monkeypatch.delenv("DVC_EXP_NAME")
    outputs.params = held
    assert outputs.evaluate() == outputs.explain() == first  # back at HEAD
    after = client().get_run(first).to_dictionary()
    assert after["data"]["metrics"] == before["data"]["metrics"]
    assert after["data"]["params"] == before["data"]["params"]
    assert after["info"]["run_name"] == before["info"]["run_name"]


def test_within_an_experiment_the_name_says_what_differs(outputs, client, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "warm")
    outputs.data()
    first = outputs.all()
    monkeypatch.delenv("DVC_EXP_NAME")  # it was applied, then its parameters edited
    change(outputs, *METHOD)
    change(outputs, "explain", "colormap", "plasma")
    change(outputs, "evaluate", "mirror", True)
    change(outputs, "evaluate", "confidence", 0.99)
    outputs.evaluate(accuracy=0.75)
    names = [client().get_run(run).info.run_name for run in (first, outputs.explain())]
    said = "confidence 0.99, mirror True, colormap plasma, method layer-cam"
    assert names == ["convnet · drawn · 0.750 · warm", f"convnet · drawn · 0.750 · warm · {said}"]


def test_what_is_explained_before_it_is_evaluated_joins_no_other_evaluation(outputs, client):
    outputs.data()
    outputs.train()
    first = outputs.evaluate()
    change(outputs, *METHOD)
    change(outputs, "evaluate", "confidence", 0.99)
    second = outputs.explain()  # DVC may run either stage first
    assert outputs.evaluate(accuracy=0.7) == second != first
    assert "explain.method" not in client().get_run(first).data.params
    assert client().get_run(second).data.params["explain.method"] == "layer-cam"


def test_a_person_s_words_stay(outputs, client):
    outputs.data()
    run_id = outputs.train()
    client().update_run(run_id, name="the good one")
    outputs.evaluate()
    run = client().get_run(run_id)
    assert run.info.run_name == "the good one"
    assert "0.750" in run.data.tags["mlflow.note.content"]  # not edited: ours goes on
    client().set_tag(run_id, "mlflow.note.content", "blurry, but *good*")
    outputs.explain()
    outputs.sync("convnet")
    run = client().get_run(run_id)
    assert run.info.run_name == "the good one"
    assert run.data.tags["mlflow.note.content"] == "blurry, but *good*"


@pytest.mark.parametrize(
    "missing", ["models/convnet/model.keras", "reports/convnet/explain/heatmaps/cat_0.png"]
)
def test_a_clone_without_the_data_writes_nothing_until_it_is_pulled(outputs, client, missing):
    outputs.data()
    outputs.all()
    outputs.fresh_store()
    path = outputs.root / missing
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(InputError, match=f"{missing}(.|\n)*is not here(.|\n)*dvc pull"):
        outputs.sync("convnet")
    assert client().get_experiment_by_name("convlens") is None
    path.write_bytes(content)
    run = client().get_run(outputs.sync("convnet"))
    assert run.info.run_name == "convnet · drawn · 0.750"
    assert run.outputs.model_outputs


def test_a_clone_that_knows_less_takes_nothing_from_a_run(outputs, client):
    outputs.data()
    outputs.train()
    lock = (outputs.root / "dvc.lock").read_text()
    run_id = outputs.evaluate()
    before = outputs.snapshot()
    (outputs.root / "dvc.lock").write_text(lock)
    for path in (outputs.root / "reports/convnet").rglob("*.*"):
        path.unlink()
    assert outputs.sync("convnet") == run_id
    assert outputs.snapshot() == before
    assert client().get_run(run_id).info.run_name == "convnet · drawn · 0.750"
