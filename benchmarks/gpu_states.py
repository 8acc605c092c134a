"""Candidates that end badly on a device, and how each must be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..sandbox import MIB, Failure, Limits
from ..tasks.gpu import GPU_LIMITS

_LIMITS = replace(GPU_LIMITS.run, wall_seconds=60.0)
_SHORT = replace(_LIMITS, wall_seconds=3.0)


@dataclass(frozen=True, slots=True)
class Ending:
    """``program`` has an ``f(x)`` for a float32 tensor x."""

    name: str
    failure: Failure
    program: str
    limits: Limits = _LIMITS
    needs_gpu: bool = False


_MUCH = "import torch\ndef f(x): return torch.ones(1 << 42, dtype=torch.uint8, device=x.device)\n"
_BEHIND = """
import ctypes, time, torch
def f(x):
    place, cuda = ctypes.c_void_p(), ctypes.CDLL("libcuda.so.1")
    while cuda.cuMemAlloc_v2(ctypes.byref(place), ctypes.c_size_t(1 << 28)) == 0:
        time.sleep(0.05)
    time.sleep(30)
    return x
"""
"""Memory that torch does not count, so that only the look from outside sees it."""
_ILLEGAL = """
import torch
kernel = torch.cuda._compile_kernel(
    'extern "C" __global__ void wild(float* x) { x[1ull << 42] = 1.0f; }', "wild")
def f(x):
    kernel((1, 1, 1), (1, 1, 1), (x,))
    return x
"""
_HUNG = """
import torch
kernel = torch.cuda._compile_kernel(
    'extern "C" __global__ void spin(volatile float* x) { while (x[0] >= 0.0f) {} }', "spin")
def f(x):
    kernel((1, 1, 1), (1, 1, 1), (x,))
    return x
"""
_TRITON = """
import torch, triton
import triton.language as tl
@triton.jit
def wild(x, far):
    tl.store(x + far, 1.0)
def f(x):
    wild[(1,)](x, 1 << 42)
    return x
"""

ENDS = (
    Ending("out of memory", Failure.MEMORY, _MUCH),
    Ending("a loop that never ends", Failure.TIMEOUT, "def f(x):\n    while True: pass\n", _SHORT),
    Ending("a process that dies", Failure.CRASHED, "import os\ndef f(x): os.kill(os.getpid(), 11) or os.abort()\n"),
    Ending("no tensor", Failure.MALFORMED, "def f(x): return object()\n"),
    Ending(
        "memory behind torch's back", Failure.MEMORY, _BEHIND, replace(_LIMITS, device_bytes=4096 * MIB), needs_gpu=True
    ),
    Ending("an illegal access", Failure.CRASHED, _ILLEGAL, needs_gpu=True),
    Ending("an illegal access in Triton", Failure.CRASHED, _TRITON, needs_gpu=True),
    Ending("a kernel that hangs", Failure.TIMEOUT, _HUNG, _SHORT, needs_gpu=True),
)
