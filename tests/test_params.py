"""A mistake in params.yaml is one clear message that names the key."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from convlens import params
from convlens.errors import InputError


@pytest.fixture
def tree(root):
    return YAML(typ="safe").load(root / "params.yaml")


def test_the_committed_parameters_and_every_recipe_are_valid(root):
    assert params.load(root / "params.yaml").data.source == "drawn"
    assert (root / "params.yaml").read_text() == (root / "recipes/drawn.yaml").read_text()


def test_every_recipe_is_made_by_the_command_that_its_head_names(root):
    known = subprocess.run(
        ["make", "-pq", "help"], cwd=root, capture_output=True, text=True, check=False
    ).stdout
    made = {rule.split(":")[0] for rule in known.split("\n\n") if "\t@$(RECIPE)" in rule}
    named = {
        re.search(r"# Run: make (\S+)", path.read_text())[1]
        for path in (root / "recipes").glob("*.yaml")
        if path.name != "drawn.yaml"
    }
    assert named | {"drawn"} == made


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("convnet", "epoch", 3, "an unknown key"),
        ("convnet", "epochs", "many", "valid integer"),
        ("convnet", "epochs", 0, "greater than or equal to 1"),
        ("convnet", "epochs", 2.5, "valid integer"),
        ("convnet", "learning_rate", float("nan"), "finite number"),
        ("convnet", "warmup_epochs", 12.0, "must be less than epochs"),
        ("data", "source", "kaggle", "'drawn', 'archive'"),
        ("data", "sha256", "123", "pattern"),
        ("data", "seed", -1, "greater than or equal to 0"),
        ("data", "classes", ["cat"], "two or more"),
        ("data", "classes", [str(n) for n in range(1001)], "at most 1,000"),
        ("data", "classes", ["Cat", "cat"], "'Cat' and 'cat' differ in nothing but case"),
        ("data", "classes", ["caf\u00e9", "cafe\u0301"], "Unicode's spelling"),
        ("data", "classes", ["a/b", "c"], "'a/b': a name with a slash"),
        ("data", "classes", [".a", "c"], "begins with a dot"),
        ("data", "classes", ["a ", "c"], "ends with a blank"),
        ("data", "classes", {"a": ["x"], "b": []}, "'b' has no folder"),
        ("data", "classes", {"a": ["x"], "b": ["X"]}, "'x' is named twice"),
        ("data", "split", {"train": 0.8, "validation": 0.2, "test": 0.2}, "add up to 1.2"),
        ("data", "split", {"train": 0.8, "validation": 1, "test": 2}, "mix of fractions"),
        ("runtime", "precision", "float16", "'auto', 'float32' or 'bfloat16'"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(tree, section, key, value, message):
    tree[section][key] = value
    with pytest.raises(InputError) as caught:
        params.check(tree, "params.yaml")
    assert f"params.yaml: {section}" in str(caught.value)
    assert message in str(caught.value)


def test_source_archive_without_an_archive_is_refused(tree):
    tree["data"]["source"] = "archive"
    with pytest.raises(InputError, match=r"data\.archive names no file"):
        params.check(tree, "params.yaml")


def test_fine_tuning_wants_the_features_it_trains_on(tree):
    tree["vgg16"]["fine_tune"]["epochs"] = 2
    with pytest.raises(InputError, match="block4_pool"):
        params.check(tree, "params.yaml")


def test_a_missing_key_section_or_file_is_named(tree, tmp_path):
    del tree["evaluate"]["confidence"]
    with pytest.raises(InputError, match=r"evaluate\.confidence"):
        params.check(tree, "params.yaml")
    del tree["evaluate"]
    with pytest.raises(InputError, match=r"params\.yaml: evaluate"):
        params.check(tree, "params.yaml")
    with pytest.raises(InputError, match="No such file"):
        params.load(tmp_path / "params.yaml")


def test_broken_yaml_names_its_line(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text("data:\n  source: [drawn\n")
    with pytest.raises(InputError, match="line 3"):
        params.load(path)


@pytest.mark.parametrize("text", [b"data: \xb1", b"a: 2024-13-45", b"a: !!int x"])
def test_text_that_is_no_utf8_and_values_that_are_none_name_the_file(tmp_path: Path, text):
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(InputError, match=r"params\.yaml"):
        params.load(path)
