"""Precision is used only where hardware computes it; freed memory stays with our processes."""

import os
import subprocess
import sys

import pytest

from convlens import runtime
from convlens.errors import InputError
from convlens.params import RuntimeParams

AMX, PLAIN = frozenset({"avx2", "amx_bf16"}), frozenset({"avx2", "avx512f"})


@pytest.mark.parametrize(
    ("asked", "flags", "gpu", "expected"),
    [
        ("auto", AMX, False, "bfloat16"),
        ("auto", frozenset({"avx512_bf16"}), False, "bfloat16"),
        ("auto", PLAIN, False, "float32"),
        ("auto", PLAIN, True, "bfloat16"),
        ("float32", AMX, True, "float32"),
        ("bfloat16", AMX, False, "bfloat16"),
    ],
)
def test_precision_follows_the_hardware(asked, flags, gpu, expected):
    assert runtime.resolve_precision(asked, flags, gpu=gpu) == expected


def test_a_precision_that_would_be_emulated_is_refused():
    with pytest.raises(InputError, match=r"runtime\.precision"):
        runtime.resolve_precision("bfloat16", PLAIN, gpu=False)


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [(0, "3", 3), (0, "3,2", 3), (5, "3", 5), (0, "", 7), (0, "x", 7)],
)
def test_the_threads_recorded_are_those_in_force(monkeypatch, asked, environment, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", environment)
    monkeypatch.setattr(runtime, "cores", lambda: 7)
    params = RuntimeParams(precision="float32", threads=asked)
    assert runtime.describe(params).threads == expected


def test_convolutions_are_onednns_unless_the_environment_says_otherwise(monkeypatch):
    name, plain = runtime._ONEDNN, RuntimeParams(precision="float32", threads=1)
    monkeypatch.delenv(name, raising=False)
    assert runtime.describe(plain).kernels == "oneDNN"
    said = "import convlens.runtime as r; r.quiet_tensorflow()\n"
    said += "from tensorflow.python.util import _pywrap_util_port as p; print(p.IsMklEnabled())"
    for value, expected in ({}, "True"), ({name: "0"}, "False"):
        done = subprocess.run(
            [sys.executable, "-c", said], env=os.environ | value, capture_output=True, text=True
        )
        assert done.stdout.strip() == expected, done.stderr
    monkeypatch.setenv(name, "0")
    assert runtime.describe(plain).kernels == "Eigen"


# Bytes that malloc has mapped apart, `hblkhd` of mallinfo2(3), around a 64 MiB array.
APART = """
import ctypes, sys, types
import numpy as np
from convlens import runtime

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena o s blocks hblkhd u f n k c".split()]

def mapped():
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Info
    before = mallinfo().hblkhd
    array = np.ones(2**26, np.uint8)
    return mallinfo().hblkhd - before >= array.nbytes

untouched = mapped()
sys.modules["tensorflow"] = types.SimpleNamespace(
    config=types.SimpleNamespace(list_physical_devices=lambda kind: [])
)
runtime.quiet_tensorflow()
print(untouched, mapped())
"""


@pytest.mark.skipif(not runtime._has_glibc(), reason="another C library")
def test_large_tensors_are_not_mapped_anew_once_a_process_configures_itself():
    done = subprocess.run([sys.executable, "-c", APART], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_nothing_is_done_to_another_c_library(monkeypatch):
    monkeypatch.setattr(runtime.platform, "libc_ver", lambda: ("", ""))  # as on musl or macOS
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: pytest.fail("touched"))
    monkeypatch.setattr(runtime.os, "environ", {})
    runtime.keep_freed_memory()
    assert runtime.os.environ == {}
