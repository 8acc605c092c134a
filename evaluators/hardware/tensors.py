"""What torch reaches on a device, which may be the CPU: copies, reads, products of matrices, launches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..task import Precision
from .clock import Clock, best_rate

if TYPE_CHECKING:
    import torch

GPU_SIDE = 8192
GPU_SIDE_FLOAT64 = 4096
"""GPUs for games have hardly any such arithmetic."""
WITH_TF32 = (8, 0)
"""The compute capability from which on a GPU has tf32."""
LAUNCHES = 1000
GPU_BYTES = 1 << 30
"""Moved to find the speed of a GPU's memory."""

Run = Callable[[], object]


class Device:
    """Where torch calculates, and the clock for it: a GPU has done its work when all that was queued is done."""

    def __init__(self, name: str, clock: Clock = time.perf_counter) -> None:
        import torch

        self.torch = torch
        self.device = torch.device(name)
        self._clock = clock

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    def rate(self, run: Run, amount: float) -> float:
        """Units per second of what ``run`` queues, which are ``amount``."""
        return best_rate(run, amount, self._now)

    def _now(self) -> float:
        if self.is_gpu:
            self.torch.cuda.synchronize(self.device)
        return self._clock()

    def matrix(self, rows: int, columns: int, kind: torch.dtype) -> torch.Tensor:
        return self.torch.rand(rows, columns, device=self.device).to(kind)


def bandwidth(device: Device, working: int) -> tuple[float, float]:
    """Bytes per second of copies (read and written) and of reads among ``working`` bytes."""
    length = max(1, working // 8)
    first, second = (device.matrix(1, length, device.torch.float32) for _ in range(2))
    copied = device.rate(lambda: second.copy_(first), 8 * length)
    return copied, device.rate(first.max, 4 * length)


def products(device: Device, side: int, side_float64: int) -> dict[Precision, float | None]:
    """Floating-point operations per second; tf32 is None where the device has none."""
    torch = device.torch
    found: dict[Precision, float | None] = {
        "float64": _product(device, side_float64, torch.float64),
        "float32": _float32(device, side, "highest"),
        "tf32": _float32(device, side, "high") if has_tf32(device) else None,
        "bfloat16": _product(device, side, torch.bfloat16),
    }
    return found


def has_tf32(device: Device) -> bool:
    return device.is_gpu and device.torch.cuda.get_device_capability(device.device) >= WITH_TF32


def _float32(device: Device, side: int, precision: str) -> float:
    """``high`` lets torch use tf32 inside products of float32 matrices."""
    before = device.torch.get_float32_matmul_precision()
    device.torch.set_float32_matmul_precision(precision)
    try:
        return _product(device, side, device.torch.float32)
    finally:
        device.torch.set_float32_matmul_precision(before)


def _product(device: Device, side: int, kind: torch.dtype) -> float:
    first, second, out = (device.matrix(side, side, kind) for _ in range(3))
    return device.rate(lambda: device.torch.mm(first, second, out=out), 2 * side**3)


def launch_seconds(device: Device) -> float:
    """Of one of many small operations in a queue, torch's own share included."""
    one = device.matrix(1, 1, device.torch.float32)

    def many() -> None:
        for _ in range(LAUNCHES):
            one.add_(1)

    return 1 / device.rate(many, LAUNCHES)
