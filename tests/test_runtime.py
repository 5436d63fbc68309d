"""Precision is used only where hardware computes it, and is never pretended."""

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
