"""dvc.yaml says exactly what each stage reads: parameters by section, code by imports."""

import importlib
import inspect
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from code_deps import closure, is_code

ROOT = Path(__file__).resolve().parents[2]
GRAPH = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = sorted(GRAPH["stages"])


@pytest.mark.parametrize("name", STAGES)
def test_the_sections_a_stage_asks_for_are_those_it_depends_on(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "pipeline"))
    stage, module = importlib.import_module("stage"), importlib.import_module(name)
    declared = {str(key).split(".")[0] for key in GRAPH["stages"][name].get("params", [])}
    assert declared - {"${item"} == stage.sections(module.main)
    asks = "own" in inspect.signature(module.main).parameters
    # weights are what their digest says, whatever else the section of the net holds
    assert ("${item" in declared) == (asks and name != "fetch_weights")


@pytest.mark.parametrize("name", STAGES)
def test_the_code_a_stage_imports_is_what_it_depends_on(name):
    declared = [dep for dep in GRAPH["stages"][name]["deps"] if is_code(dep)]
    assert declared == closure(ROOT / "pipeline" / f"{name}.py", ROOT), "run `make graph`"


def test_lazy_imports_count_and_imports_for_types_do_not(tmp_path):
    package = tmp_path / "src/convlens"
    package.mkdir(parents=True)
    (package / "a.py").write_text("def f():\n    from convlens import b\n")
    (package / "b.py").write_text("")
    (package / "c.py").write_text("")
    stage = tmp_path / "stage.py"
    stage.write_text(
        "from typing import TYPE_CHECKING\nfrom convlens import a\n"
        "if TYPE_CHECKING:\n    from convlens import c\n"
    )
    assert closure(stage, tmp_path) == ["src/convlens/a.py", "src/convlens/b.py", "stage.py"]


def test_the_head_s_parameters_and_code_reach_no_feature_extraction():
    stage = GRAPH["stages"]["extract_features"]
    assert stage["params"] == ["features", "runtime"]
    assert not [dep for dep in stage["deps"] if dep.endswith(("fit.py", "training/transfer.py"))]
