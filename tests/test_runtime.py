"""Precision is used only where hardware computes it, and is never pretended."""

import pytest

from convlens import runtime
from convlens.errors import InputError

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
