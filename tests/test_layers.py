"""Data flows one way: a module imports only from its left."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src/convlens"
BASIS = {
    "cgroup", "class_names", "engines", "errors", "files", "git", "lock", "params", "parts",
    "paths", "progress", "provenance", "runtime", "text", "workers", "",
}  # fmt: skip
# evaluation and explain stand side by side, as do report and tracking
ORDER = {
    "data": 1, "models": 2, "training": 3, "evaluation": 4, "explain": 4, "gallery": 5,
    "report": 6, "tracking": 6,
}  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "convlens":
            inside = node.module.split(".")[1:2]
            yield from inside or [alias.name for alias in node.names]


@pytest.mark.parametrize("folder", ORDER)
def test_a_module_imports_only_from_its_left(folder):
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in (PACKAGE / folder).rglob("*.py")
        for name in imported(path)
        if name not in BASIS and name != folder and ORDER.get(name, 9) >= ORDER[folder]
    }
    assert wrong == set()


def test_only_tracking_knows_mlflow():
    wrong = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "tracking" and "import mlflow" in path.read_text()
    }
    assert wrong == set()
