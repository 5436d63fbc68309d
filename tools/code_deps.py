"""Which source files can change what a stage writes: its imports, and theirs, lazy ones too.

Run it to write these lists into dvc.yaml: make graph
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

# They carry values, messages and copies, so no result depends on them: the values themselves are
# tracked by DVC as parameters, and MLflow only receives what the files already say.
NEUTRAL = {"errors", "params", "progress", "tracking"}
PACKAGE = "__init__"  # followed, since it can import others, but too dull to be listed


def is_code(dependency: str) -> bool:
    """Return whether `closure` decides about a dependency: it does not see templates."""
    return dependency.startswith(("src/", "pipeline/")) and "/assets" not in dependency


def closure(stage: Path, root: Path) -> list[str]:
    """Return the stage and the package's files it depends on; whole folders where all are used."""
    found: set[Path] = set()
    waiting = list(_imports(stage, root))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path, root))
    found = {path for path in found if path.stem != PACKAGE}
    for folder in {path.parent for path in found}:
        inside = {p for p in folder.glob("*.py") if p.stem not in NEUTRAL | {PACKAGE}}
        if len(inside) > 1 and inside <= found:
            found = found - inside | {folder}
    return sorted(path.relative_to(root).as_posix() for path in [stage, *found])


def _imports(path: Path, root: Path) -> Iterator[Path]:
    for node in _runtime_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
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
        place = root / "src" / Path(*name.split("."))
        for path in (place.with_suffix(".py"), place / f"{PACKAGE}.py"):
            if path.is_file() and not NEUTRAL & set(name.split(".")):
                yield path


def main() -> None:
    """Bring the code dependencies of every stage in dvc.yaml up to date."""
    root = Path(__file__).resolve().parents[1]
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    graph = yaml.load(root / "dvc.yaml")
    for name, stage in graph["stages"].items():
        inputs = [dep for dep in stage["deps"] if not is_code(dep)]
        stage["deps"][:] = inputs + closure(root / "pipeline" / f"{name}.py", root)
    yaml.dump(graph, root / "dvc.yaml")


if __name__ == "__main__":
    main()
