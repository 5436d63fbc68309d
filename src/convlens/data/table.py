"""One Parquet table of many rows, made block by block: what is done is not done again.

Workers write each block beside the table, under a folder named by `key`, which tells whether they
belong to the same rows and model; at the end the blocks become the one table.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convlens.data.names import printable
from convlens.data.stores import Place
from convlens.engines import Batch, Engine, Function
from convlens.errors import InputError
from convlens.progress import Progress, silent

BLOCK = 256  # rows; what a killed worker loses at most
DIED = "each worker that took it died: out of memory?"
_KEY, _AGAIN, _BAD = b"convlens.key", b"convlens.again", b"convlens.unread"


@dataclass(frozen=True)
class Made:
    """How many rows the table has, and how many of them have a reason instead of an answer."""

    rows: int
    unread: int


@dataclass(frozen=True)
class _Writes:
    """Makes a function that writes the block which it is given, and answers with its number."""

    make: Callable[[], Function]
    folder: Place

    def __call__(self) -> Function:
        function = self.make()

        def write(block: Batch) -> Batch:
            number = int(block["number"][0])
            asked = {name: column for name, column in block.items() if name != "number"}
            table = _table(asked["path"], function(asked))
            _part(self.folder, number).write(_bytes(table))
            return {"number": block["number"][:1]}

        return write


def write(
    engine: AbstractContextManager[Engine],
    make: Callable[[], Function],
    columns: Batch,
    out: Place,
    key: str,
    progress: Progress = silent,
    *,
    block: int = BLOCK,
) -> Made:
    """Write path, and the columns that the function gives for it, to `out`, in order.

    The function gets `columns`, of which one is path, and reason; it returns a reason for what it
    can't do, and `again` where another day it might. A run of the same `key` goes on where the last
    one stopped. A photo over which each worker died gets DIED as its reason.

    Raises
    ------
    InputError
        The store of `out` fails, or workers die whatever they are given.
    """
    import pyarrow as pa

    try:
        if (whole := _made(out, key)) is not None:
            return whole
        parts = Place(out.fs, f"{out.path}.parts", f"{out.text}.parts")
        folder = parts / key
        for stale in parts.names():
            if stale != key:
                (parts / stale).remove()
        blocks = _blocks(columns, block)
        left = [k for k, rows in enumerate(blocks) if not _valid(_part(folder, k), rows["path"])]
        makes = _Writes(make, folder)
        if left:
            with engine as running:
                done = _rounds(running, make, makes, blocks, left)
                for _ in progress(done, what="blocks of photos", total=len(left), unit="block"):
                    pass
        made, again = _join([_part(folder, k) for k in range(len(blocks))], out, key)
        if not again:
            parts.remove()
        return made
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            out, expected="a place that keeps what is written to it", found=str(error),
            fix="mend that and run again: blocks that are done are kept",
        ) from error  # fmt: skip


def _rounds(
    engine: Engine, make: Callable[[], Function], makes: _Writes, blocks: list[Batch],
    left: list[int],
) -> Iterator[int]:  # fmt: skip
    """Run the blocks `left`, and then without what kills those that were lost."""
    for again in (False, True):
        if again:
            _mark(engine, make, [blocks[k] for k in left])
        lost = []
        for number, result in engine.map(makes, [blocks[k] for k in left]):
            if result is None:
                lost.append(left[number])
            else:
                yield left[number]
        if not (left := lost):
            return
    raise InputError(
        "the workers", expected="to finish a block", found="each died, photo or no photo",
        fix="give them more memory, or run fewer, and run again",
    )  # fmt: skip


def _mark(engine: Engine, make: Callable[[], Function], blocks: list[Batch]) -> None:
    """Find the rows that kill a worker on their own, and note it in the blocks."""
    places = [(rows, k) for rows in blocks for k in range(len(rows["path"]))]
    alone = [
        {name: column[k : k + 1] for name, column in rows.items() if name != "number"}
        for rows, k in places
    ]
    for number, result in engine.map(make, alone):
        if result is None:
            rows, k = places[number]
            rows["reason"][k] = DIED


def _blocks(columns: Batch, size: int) -> list[Batch]:
    count = len(columns["path"])
    whole = columns | {"reason": np.full(count, "", object), "number": np.arange(count) // size}
    return [
        {name: column[start : start + size] for name, column in whole.items()}
        for start in range(0, count, size)
    ]


def _part(folder: Place, number: int) -> Place:
    return folder / f"{number:08d}.parquet"


def _table(paths: Iterable[str], columns: Batch) -> Any:
    """Return a block as Arrow's table; NaN and "" become null."""
    import pyarrow as pa

    reasons = columns.pop("reason")
    again = int(columns.pop("again").sum())
    arrays = {"path": pa.array([printable(path) for path in paths], pa.string())}
    arrays |= {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    arrays["reason"] = pa.array([printable(why) or None for why in reasons], pa.string())
    bad = len(reasons) - int((reasons == "").sum())
    marks = {_AGAIN: str(again).encode(), _BAD: str(bad).encode()}
    return pa.table(arrays).replace_schema_metadata(marks)


def _bytes(table: Any) -> bytes:
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(table, content, write_page_checksum=True)
    return content.getvalue()


def _read(part: Place) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(part.read()), page_checksum_verification=True)


def _valid(part: Place, paths: Iterable[str]) -> bool:
    """Return whether a block is there, sound, of these paths, and not to be tried again."""
    import pyarrow as pa

    if not part.size:
        return False
    try:
        table = _read(part)
    except (pa.ArrowException, OSError):
        return False
    same = table["path"].to_pylist() == [printable(path) for path in paths]
    return bool(same and table.schema.metadata[_AGAIN] == b"0")


def _made(out: Place, key: str) -> Made | None:
    """Return what is said of a finished table of this key, if `out` is one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not out.size:
        return None
    try:
        with out.fs.open_input_file(out.path) as file:
            found = pq.ParquetFile(file)
            marks, rows = found.metadata.metadata or {}, found.metadata.num_rows
    except (pa.ArrowException, OSError):
        return None
    if marks.get(_KEY) != key.encode() or marks.get(_AGAIN) != b"0":
        return None
    return Made(rows, int(marks[_BAD]))


def _join(parts: Sequence[Place], out: Place, key: str) -> tuple[Made, int]:
    """Write one table from the blocks, a block in memory at a time; return how many to do again."""
    import pyarrow.parquet as pq

    rows = unread = again = 0
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "table.parquet"
        writer: Any = None
        for part in parts:
            table = _read(part)
            marks = table.schema.metadata
            rows, unread = rows + len(table), unread + int(marks[_BAD])
            again += int(marks[_AGAIN])
            plain = table.replace_schema_metadata(None)
            writer = writer or pq.ParquetWriter(whole, plain.schema)
            writer.write_table(plain)
        marks = {_KEY: key, _AGAIN: str(again), _BAD: str(unread)}
        writer.add_key_value_metadata(marks)
        writer.close()
        out.write(whole)
    return Made(rows, unread), again
