"""Allocator, threads, precision and determinism of a process: set once, and recorded.

Only for processes that are ours, stages and the command line: a library leaves its caller's alone.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from convlens.errors import InputError
from convlens.params import RuntimeParams
from convlens.workers import cores

Precision = Literal["float32", "bfloat16"]
# What Keras loads for functions that nobody calls here, if it finds it: 180 MB, and as much time as
# TensorFlow itself takes.
_UNUSED = ("IPython", "cv2", "matplotlib", "pandas", "scipy", "sklearn")
LIBRARIES = (
    "tensorflow", "keras", "numpy", "pillow", "opencv-python-headless", "dvc", "mlflow"
)  # fmt: skip
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


@dataclass(frozen=True)
class Runtime:
    """How this process computes; part of every run's record."""

    precision: Precision
    threads: int
    device: str
    cpu: str
    isa: str
    allocator: str
    kernels: str

    @property
    def policy(self) -> str:
        """Keras' name for the precision: bfloat16 means bfloat16 products on float32 weights."""
        return "float32" if self.precision == "float32" else "mixed_bfloat16"

    def record(self) -> dict[str, str | int]:
        """Return everything that a rerun needs to know, versions included."""
        return asdict(self) | versions()


def versions() -> dict[str, str]:
    """Return the versions that decide results, of what is installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):  # DVC, MLflow and OpenCV come with an extra
            found[name] = version(name)
    return found


def configure(params: RuntimeParams) -> Runtime:
    """Make TensorFlow deterministic with a fixed number of threads; call it before any other use.

    Raises
    ------
    InputError
        If `bfloat16` is asked for and the machine would only emulate it, slowly.
    """
    # oneDNN's pool reads it while TensorFlow loads.
    os.environ["OMP_NUM_THREADS"] = str(_threads(params))
    quiet_tensorflow()
    import tensorflow as tf

    machine = describe(params, tf.config.list_physical_devices("GPU"))
    tf.config.threading.set_intra_op_parallelism_threads(machine.threads)
    tf.config.threading.set_inter_op_parallelism_threads(machine.threads)
    tf.config.experimental.enable_op_determinism()
    return machine


def describe(params: RuntimeParams, gpus: Sequence[Any] = ()) -> Runtime:
    """Return how this machine would compute with `params`, without touching TensorFlow."""
    return Runtime(
        precision=resolve_precision(params.precision, cpu_flags(), gpu=bool(gpus)),
        threads=_threads(params),
        device=gpus[0].name if gpus else "cpu",
        cpu=cpu_name(),
        isa=isa(cpu_flags()),
        allocator="bfc, glibc keeps freed memory" if _has_glibc() else "the system's",
        kernels="oneDNN" if os.environ.get(_ONEDNN, "1") == "1" else "Eigen",
    )


def _threads(params: RuntimeParams) -> int:
    """Return the threads that are in force: runtime.threads, else the environment's, else cores."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return params.threads or (int(first) if first.isdigit() else 0) or cores()


def resolve_precision(asked: str, flags: frozenset[str], *, gpu: bool) -> Precision:
    """Return `bfloat16` only where it is computed by hardware (GPU, AMX or AVX512-BF16)."""
    hardware = gpu or bool(flags & {"amx_bf16", "avx512_bf16"})
    if asked == "bfloat16" and not hardware:
        raise InputError(
            "params.yaml: runtime.precision",
            expected="a precision that this machine computes in hardware",
            found=f"bfloat16 on {cpu_name()}, which has neither AVX512-BF16 nor AMX",
            fix="use auto or float32",
        )
    return "bfloat16" if hardware and asked != "float32" else "float32"


@cache
def cpu_flags() -> frozenset[str]:
    """Return the CPU's feature flags; empty where the system does not tell."""
    return frozenset(_cpuinfo().get("flags", "").split())


@cache
def cpu_name() -> str:
    """Return the CPU's name and what distinguishes it from others of that name."""
    info = _cpuinfo()
    name = info.get("model name") or platform.processor() or platform.machine()
    family = ".".join(info.get(key, "") for key in ("cpu family", "model", "stepping"))
    return f"{name} ({family})" if info else name


def isa(flags: frozenset[str]) -> str:
    """Return the widest instruction sets that matter here, e.g. ``avx512f+avx512_bf16``."""
    known = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    return "+".join(flag for flag in known if flag in flags) or platform.machine()


def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def keep_freed_memory() -> None:
    """Reuse freed memory, where malloc is glibc's; call it before TensorFlow loads.

    By default glibc maps each large tensor anew and unmaps it behind the operation, and every page
    of it faults: a fifth of a training's time. The sums are the same. Source: mallopt(3).
    TensorFlow's tensors come from its own pool: malloc alone, told to keep all, fragments, and
    VGG16's base grew from batch to batch.
    """
    if not _has_glibc():
        return
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")  # TensorFlow's name of its pool
    trim_threshold, mmap_max, arena_max = -1, -4, -8  # malloc.h
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(arena_max, 1)  # the other arenas could not hold a large tensor


def _has_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


def quiet_tensorflow() -> None:
    """Load TensorFlow and look for GPUs without the log lines of its C++ side."""
    keep_freed_memory()
    # by default on newer CPUs only; with AVX2 alone, too, gradients take two thirds of the time
    os.environ.setdefault(_ONEDNN, "1")
    with stderr_held_back(), _hidden(*_UNUSED), _uncollected():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Have modules that aren't loaded yet look as if they weren't installed."""
    new = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(new))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in new:
            del sys.modules[name]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: among the classes of a library that loads there is none."""
    were = gc.isenabled()
    gc.disable()  # a tenth of TensorFlow's loading
    try:
        yield
    finally:
        if were:
            gc.enable()


def give_memory_back() -> None:
    """Return what was freed to the system, which malloc keeps: see `keep_freed_memory`."""
    if _has_glibc():
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Hold back what is written to stderr, from C++ too; show it if the block fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept, noise.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
