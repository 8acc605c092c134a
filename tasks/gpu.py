"""What the tasks' forms for a GPU share: limits, imports, and instances large enough for one."""

from __future__ import annotations

from ..evaluators import TaskLimits
from ..sandbox import MIB, Limits

IMPORTS = ("numpy", "torch", "triton")

GPU_LIMITS = TaskLimits(
    # Compilers need the memory, files, threads and the time of a first call; a kernel itself takes milliseconds.
    run=Limits(
        cpu_seconds=900.0,
        wall_seconds=240.0,
        memory_bytes=8192 * MIB,
        output_bytes=64 * MIB,
        tmp_bytes=512 * MIB,
        threads=512,
        open_files=1024,
        device_bytes=16384 * MIB,
    ),
    imports=IMPORTS,
    gpus=1.0,
)
"""One GPU with 16 GiB to spare, whole."""

CALLED = """
**How it is called.** Arrays are torch tensors on the device (a GPU; on a machine without one the CPU), everything else
is plain Python. Return tensors on the device. torch, `torch.compile`, Triton and CUDA C++ through
`torch.utils.cpp_extension.load_inline` may be used; caches of compilers are private to the program's process. The
program is called once for each kind of shapes to warm up, then on inputs that nobody has seen before.

**Measured.** Seconds from the inputs on the device to the results in the host's memory, on a clock outside the process,
without the way there and back; geometric mean over the instances, smaller is better. Compiling and importing are not
counted.
"""
