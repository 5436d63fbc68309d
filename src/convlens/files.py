"""Writing files so that nothing half-written ever stands under a final name."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convlens.errors import InputError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; on success it is synced and renamed to `path`.

    The sibling keeps the suffix, because writers choose their format by it. It may become a file
    or a folder; on any exception, Ctrl-C included, it is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    _remove(partial)
    try:
        yield partial
        if partial.is_dir():
            _swap(partial, path)
        else:
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(path)
    except BaseException:
        _remove(partial)
        raise


def _swap(partial: Path, path: Path) -> None:
    """Put a folder in the place of another: a rename can't replace one that is not empty."""
    old = path.with_name(f".{path.name}.{os.getpid()}.old.part")
    if path.is_dir():
        path.replace(old)
    partial.replace(path)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically as UTF-8 with Unix line ends."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; refuses NaN and infinity, which JSON does not know."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; raises InputError, naming it, if it is none."""
    with _naming(path, "JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `rows` under a header of exactly `columns`; a row with other keys raises ValueError."""
    with atomic(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file as one dictionary of strings a row; raises InputError if it is none."""
    with _naming(path, "CSV"), path.open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("a row with more or fewer cells than the header")
        return rows


@contextmanager
def _naming(path: Path, expected: str) -> Iterator[None]:
    """Turn what is wrong with the content of `path` into one error that names it."""
    try:
        yield
    except (ValueError, csv.Error) as error:
        marks = re.search(rb"^(?:<{7}|>{7}) ", path.read_bytes(), re.MULTILINE)
        raise InputError(
            path,
            expected=expected,
            found="git's marks of a conflict" if marks else f"damaged: {error}",
            fix="`git checkout` the version you want, or make it again with `make repro`",
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
