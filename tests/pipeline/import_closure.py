"""Which source files can change what a stage writes: its imports, and theirs, lazy ones included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

# They carry values, messages and copies, so no result depends on them: the values themselves are
# tracked by DVC as parameters, and MLflow only receives what the files already say.
NEUTRAL = {"errors", "params", "progress", "tracking", "__init__"}


def closure(stage: Path, root: Path) -> set[str]:
    """Return the paths, relative to `root`, of the package's files that `stage` depends on."""
    found: set[Path] = set()
    waiting = list(_imports(stage, root))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path, root))
    return {path.relative_to(root).as_posix() for path in found}


def _imports(path: Path, root: Path) -> Iterator[Path]:
    for node in _runtime_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("convlens"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from _files([str(node.module), *names], root)
        elif isinstance(node, ast.Import):
            yield from _files([alias.name for alias in node.names], root)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _runtime_nodes(node)


def _files(names: list[str], root: Path) -> Iterator[Path]:
    for name in names:
        path = (root / "src" / Path(*name.split("."))).with_suffix(".py")
        if path.is_file() and not NEUTRAL & set(path.relative_to(root / "src").with_suffix("").parts):
            yield path
