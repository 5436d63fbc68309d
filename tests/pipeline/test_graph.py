"""dvc.yaml says what each stage reads: parameters by section, code by a digest of its imports."""

import importlib
import inspect
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from code_deps import closure, digest

ROOT = Path(__file__).resolve().parents[2]
GRAPH = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = sorted(GRAPH["stages"].keys() - {"code"})


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
def test_a_stage_depends_on_the_digests_of_the_code_that_it_runs(name):
    stage = GRAPH["stages"][name]
    assert stage["cmd"].split()[:2] == ["python", f"pipeline/{name}.py"]
    assert f"data/code/{name}.txt" in stage["deps"]


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


PLAIN = '''import a


def f(x):
    return x or """one
    # two
"""
'''
SAID = '''"""What

it is."""
import a  # the first


def f(x):
    """Do it."""
    # by itself
    return x or """one
    # two
"""  # or else
'''


@pytest.mark.parametrize(
    ("source", "same"),
    [
        (SAID, True),
        (PLAIN.replace("# two", "# too"), False),
        (PLAIN.replace("x or", "x and"), False),
    ],
)
def test_a_digest_is_of_the_code_not_of_what_is_said_about_it(tmp_path, source, same):
    (tmp_path / "plain").write_text(PLAIN)
    (tmp_path / "other").write_text(source)
    assert (digest(tmp_path / "plain") == digest(tmp_path / "other")) is same


def test_the_head_s_parameters_and_code_reach_no_feature_extraction():
    assert GRAPH["stages"]["extract_features"]["params"] == ["features", "runtime"]
    code = closure(ROOT / "pipeline/extract_features.py", ROOT)
    assert not [path for path in code if path.endswith(("fit.py", "training/transfer.py"))]
