"""Checkpoints of PyTorch, written here in its format, read without it; hostile ones are refused."""

import io
import os
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from convlens.models import pytorch_file

MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
VALUES = np.arange(24, dtype="<f4")


class Stored:
    def __init__(self, key, count):
        self.key, self.count = key, count


@pytest.fixture
def written(monkeypatch):
    """Return a writer of a file with one tensor "w", a view of 24 numbers, and maybe more."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def named(module, name, kind):
        kind.__module__, kind.__qualname__, kind.__name__ = module.__name__, name, name
        setattr(module, name, kind)
        return kind

    float_storage = named(torch, "FloatStorage", type("FloatStorage", (), {}))
    rebuild = named(utils, "_rebuild_tensor_v2", lambda *_: None)

    class Writer(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Stored):
                return ("storage", float_storage, thing.key, "cpu", thing.count, None)
            return None

    class Tensor:
        def __init__(self, *view):
            self.view = view

        def __reduce__(self):
            return rebuild, (Stored("7", 24), *self.view, False, OrderedDict())

    def write(*view, count=24, **more):
        file = io.BytesIO()
        state = OrderedDict(w=Tensor(*view), **more)
        for part in (0x1950A86A20F9469CFC6C, 1001, MACHINE, state, ["7"]):
            Writer(file, 2).dump(part)
        file.write(count.to_bytes(8, "little") + VALUES[:count].tobytes())
        return file.getvalue()

    return write


def test_views_of_a_storage_are_read_as_pytorch_means_them(written):
    found = pytorch_file.tensors(written(2, (3, 4), (1, 5)))  # not contiguous, from the third on
    assert list(found) == ["w"]
    expected = 2 + np.arange(3)[:, None] + 5 * np.arange(4)
    np.testing.assert_array_equal(found["w"], expected.astype(np.float32))


class Command:
    """Unpickled by pickle itself, this would run a command."""

    def __init__(self, function, *words):
        self.words = function, words

    def __reduce__(self):
        return self.words


@pytest.mark.parametrize("function", [os.mkdir, eval, getattr])
def test_a_hostile_pickle_runs_nothing_and_is_refused_by_name(written, tmp_path, function):
    evil = Command(function, str(tmp_path / "ran"))
    with pytest.raises(ValueError, match=rf"asks for \S+\.{function.__name__},"):
        pytorch_file.tensors(written(0, (2,), (1,), evil=evil))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("view", "count", "reason"),
    [
        ((20, (3, 4), (4, 1)), 24, "beyond its storage"),
        ((0, (2, 2), (-1, 1)), 24, "reaches back"),
        ((-1, (2,), (1,)), 24, "reaches back"),
        ((0, (2,), (1,)), 23, "storage 7 has 23 of 24"),
        ((0, (2, 2), (1,)), 24, "shorter"),
    ],
)
def test_a_tensor_never_reads_outside_of_its_storage(written, view, count, reason):
    with pytest.raises(ValueError, match=reason):
        pytorch_file.tensors(written(*view, count=count))


def test_a_damaged_file_is_one_kind_of_error(written):
    whole = written(0, (3, 4), (4, 1))
    for content in (b"", b"rubbish" * 99, *(whole[:length] for length in range(1, len(whole), 40))):
        with pytest.raises(ValueError):
            pytorch_file.tensors(content)
