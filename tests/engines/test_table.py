"""A table made of blocks: resumed, sound, in order. One process suffices here."""

import io
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from convlens.data import stores, table
from convlens.engines.local import Local

FOUR = ["a", "bb", "ccc", "dddd"]


def column(names):
    return {"path": np.array(names, object)}


def lengths(calls):
    """Return a function of a table that counts its calls."""

    def function(batch):
        calls.append(len(batch["path"]))
        good = np.array([float(len(path)) for path in batch["path"]])
        nothing = np.full(len(good), "", object)
        return {"length": good, "reason": nothing, "again": np.zeros(len(good), bool)}

    return function


def write(out, calls=None, names=("a", "bb", "ccc", "dddd", "e\udcff"), key="k"):
    calls = [] if calls is None else calls
    make = partial(lengths, calls)
    return table.write(nullcontext(Local()), make, column(names), out, key, block=2)


@pytest.fixture
def out(tmp_path):
    return stores.place(str(tmp_path / "table.parquet"))


def interrupted(out, last):
    """Write the blocks of the table up to number `last`."""

    class Stopping(Local):
        def map(self, make, given):
            for done, answer in enumerate(super().map(make, given)):
                if done == last:
                    raise KeyboardInterrupt
                yield answer

    with pytest.raises(KeyboardInterrupt):
        table.write(nullcontext(Stopping()), partial(lengths, []), column(FOUR), out,
                    "k", block=1)  # fmt: skip


def test_names_that_are_not_utf8_and_rows_in_order(out):
    assert write(out) == table.Made(5, 0)
    rows = pq.read_table(io.BytesIO(out.read())).to_pylist()
    assert [row["path"] for row in rows] == ["a", "bb", "ccc", "dddd", "e%FF"]
    assert [row["length"] for row in rows] == [1, 2, 3, 4, 2]
    assert [path.name for path in Path(out.path).parent.iterdir()] == ["table.parquet"]


def test_what_is_finished_is_not_done_again_unless_its_photos_or_model_changed(out):
    write(out)
    calls: list[int] = []
    assert write(out, calls) == table.Made(5, 0)
    assert calls == []
    write(out, calls, key="other")
    assert calls == [2, 2, 1]


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "another's"])
def test_a_corrupt_block_is_done_again(out, harm):
    undisturbed = stores.place(f"{out.path}.other")
    table.write(nullcontext(Local()), partial(lengths, []), column(FOUR),
                undisturbed, "k", block=1)  # fmt: skip
    interrupted(out, 2)
    parts = sorted(Path(f"{out.path}.parts/k").glob("*.parquet"))
    content = bytearray(parts[1].read_bytes())
    if harm == "cut":
        content = content[:-40]
    elif harm == "flipped":
        content[content.index(b"bb")] ^= 1
    elif harm == "emptied":
        content = bytearray()
    else:
        content = bytearray(parts[0].read_bytes())
    parts[1].write_bytes(content)
    calls: list[int] = []
    table.write(nullcontext(Local()), partial(lengths, calls), column(FOUR), out,
                "k", block=1)  # fmt: skip
    assert calls == [1, 1]  # the corrupt one, and the one that was not there yet
    assert out.read() == undisturbed.read()
