"""Stage `code`: the code that each stage runs, as data/code/STAGE.txt, one digest a module.

That file is all the code a stage depends on. So it reruns when a module that it imports changes,
lazily or through others, but for no other module, and for no comment or docstring.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OUT = Path("data/code")
# They carry values, messages, places and copies, so no result depends on them: DVC itself tracks
# parameters and the paths of files, and MLflow only receives what the files already say.
NEUTRAL = {"errors", "params", "paths", "progress", "tracking"}
PACKAGE = "__init__"  # followed, since it can import others, but too dull to be listed
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Write a file for each stage; paths and digests are the same on every machine."""
    root = Path()
    OUT.mkdir(parents=True, exist_ok=True)
    for stage in sorted(root.glob("pipeline/*.py")):
        if stage.stem != "stage":
            lines = [f"{digest(root / path)}  {path}\n" for path in closure(stage, root)]
            (OUT / f"{stage.stem}.txt").write_text("".join(lines))


def closure(stage: Path, root: Path) -> list[str]:
    """Return the stage and the package's modules that it imports, and those that they import."""
    found: set[Path] = set()
    waiting = [stage]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path, root))
    return sorted(path.relative_to(root).as_posix() for path in found if path.stem != PACKAGE)


@cache  # several stages import most of them
def digest(path: Path) -> str:
    """Return the sha256 of a module without its comments and docstrings."""
    source = path.read_text(encoding="utf-8")
    lines: list[str | None] = [*source.split("\n")]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = str(lines[row - 1])[:column].rstrip() or None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, text.end_lineno or text.lineno
            if not str(lines[first])[: text.col_offset].strip():  # it has the lines for itself
                lines[first:last] = [None] * (last - first)
    code = "\n".join(line for line in lines if line is not None)
    return hashlib.sha256(code.encode()).hexdigest()


@cache
def _imports(path: Path, root: Path) -> tuple[Path, ...]:
    return tuple(_named(path, root))


def _named(path: Path, root: Path) -> Iterator[Path]:
    for node in _runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
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


if __name__ == "__main__":
    main()
