"""PyTorch's older checkpoint files, read without PyTorch and without running what they hold.

Such a file is five pickles (a magic number, the format's version, the machine, the tensors, the
storages' keys), then each storage in the order of its key: a count of elements, and their bytes.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Storage(NamedTuple):
    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Restricted(pickle.Unpickler):
    """Knows four names: a hostile pickle can build nothing else, and call nothing at all."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor_v2": lambda *given: _Tensor(*given[:4]),
            "torch.FloatStorage": "<f4",
            "torch.LongStorage": "<i8",
        }
        if (asked := f"{module}.{name}") not in known:
            raise ValueError(f"it asks for {asked}, which no file of weights needs")
        return known[asked]

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, _, length, _ = pid
        return _Storage(dtype, key, length)


def tensors(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dict by name: float32 or int64, in PyTorch's axis order.

    Raises
    ------
    ValueError
        If `content` is no such file, is damaged, or asks for anything but tensors.
    """
    source = io.BytesIO(content)
    try:
        magic, version, machine, state, keys = (_Restricted(source).load() for _ in range(5))
        if (magic, version, machine["little_endian"]) != (_MAGIC, _VERSION, True):
            _damaged("no checkpoint of PyTorch's older format")
        wanted = {key: tensor.storage for tensor in state.values() for key in [tensor.storage.key]}
        stored = {key: _storage(source, wanted[key]) for key in keys}
        return {name: _view(stored[tensor.storage.key], tensor) for name, tensor in state.items()}
    except ValueError:
        raise
    except Exception as error:  # pickles and their parts can be wrong in any way at all
        raise ValueError(f"damaged: {type(error).__name__}: {error}") from error


def _storage(source: io.BytesIO, wanted: _Storage) -> NDArray[Any]:
    count = int.from_bytes(source.read(8), "little")
    values = np.frombuffer(source.read(count * np.dtype(wanted.dtype).itemsize), wanted.dtype)
    if not count == wanted.length == len(values):
        _damaged(f"storage {wanted.key} has {len(values)} of {wanted.length} elements")
    return values


def _view(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    steps = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((side - 1) * step for side, step in steps)
    if min((tensor.offset, *tensor.strides, *(side - 1 for side in tensor.shape))) < 0:
        _damaged("a tensor reaches back")
    if last >= len(storage):
        _damaged("a tensor reaches beyond its storage")
    strides = [step * storage.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()


def _damaged(how: str) -> NoReturn:
    raise ValueError(how)
