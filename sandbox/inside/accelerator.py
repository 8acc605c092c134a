"""The device as the runner uses it. All that only a GPU can do is in ``Cuda``; ``Cpu`` takes its place for development.

Nothing here is believed once a candidate's code has run: it only decides how early a correct reply can leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch


class Accelerator(Protocol):
    device: str

    def start(self, memory_bytes: int) -> None:
        """Before anything else; at most so many bytes may be allocated by torch. Raises: RuntimeError."""
        ...

    def synchronize(self) -> None:
        """Wait for all work on the device, whichever stream it is on."""
        ...

    def to_host(self, tensor: torch.Tensor) -> np.ndarray:
        """A copy in host memory, complete when this returns."""
        ...

    def timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        """What ``work`` returns, and seconds by the device's own clock: a cross-check, never a measurement."""
        ...


class Cpu:
    """Host memory in place of a device's; the limit of the address space bounds it."""

    device = "cpu"

    def start(self, memory_bytes: int) -> None:
        torch.set_num_threads(1)

    def synchronize(self) -> None:
        """Work on tensors of the CPU is done when its call returns."""

    def to_host(self, tensor: torch.Tensor) -> np.ndarray:
        return tensor.numpy().copy()

    def timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        begin = time.perf_counter()
        result = work()
        return result, time.perf_counter() - begin


class Cuda:
    """The one GPU that this process can see. The zygote must not have touched CUDA: no context survives a fork."""

    device = "cuda"

    def start(self, memory_bytes: int) -> None:
        if torch.cuda.device_count() != 1:
            raise RuntimeError(f"{torch.cuda.device_count()} GPUs are visible in the jail instead of one")
        torch.cuda.init()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, memory_bytes / total), 0)
        torch.zeros(1, device="cuda")
        torch.cuda.synchronize()

    def synchronize(self) -> None:
        torch.cuda.synchronize()

    def to_host(self, tensor: torch.Tensor) -> np.ndarray:
        # Page-locked memory, which torch keeps for the next copy: as fast as the bus is, and as steady.
        staged = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        staged.copy_(tensor, non_blocking=True)
        torch.cuda.synchronize()
        return staged.numpy()

    def timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        result = work()
        end.record()
        torch.cuda.synchronize()
        return result, begin.elapsed_time(end) / 1e3


def accelerator(kind: str) -> Accelerator:
    """For ``cuda`` or ``cpu``."""
    return Cuda() if kind == "cuda" else Cpu()
