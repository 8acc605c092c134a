"""Measures one device in a process of its own: ``python -m speciate.evaluators.hardware.child PLAN`` prints Rates."""

from __future__ import annotations

import importlib.util
import os
import sys

from ..evaluation import Record
from ..task import Precision
from . import arrays, tensors
from .ceilings import Bandwidth, Rates, larger
from .levels import Level


class Plan(Record):
    """``device`` is ``cpu`` or a GPU as torch names it; the levels are of the CPU, a GPU tells its own."""

    device: str
    threads: int = 1
    levels: tuple[Level, ...] = ()


def measured(plan: Plan) -> Rates:
    """Raises: ImportError, RuntimeError where torch cannot use the GPU."""
    return _cpu(plan) if plan.device == "cpu" else _gpu(plan.device)


def _cpu(plan: Plan) -> Rates:
    """The better of numpy and torch counts, as a program may take either."""
    found: dict[Precision, float | None] = dict(arrays.products(plan.threads))
    bandwidths = [_bandwidth(level, arrays.bandwidth(level.working, plan.threads)) for level in plan.levels]
    if importlib.util.find_spec("torch") is not None:
        device = tensors.Device("cpu", arrays.clock_for(plan.threads))
        device.torch.set_num_threads(plan.threads)
        n = arrays.side(plan.threads)
        for precision, rate in tensors.products(device, n, n).items():
            found[precision] = larger(rate, found.get(precision))
    return Rates(device="cpu", threads=plan.threads, bandwidths=tuple(bandwidths), flops=found)


def _gpu(name: str) -> Rates:
    device = tensors.Device(name)
    properties = device.torch.cuda.get_device_properties(device.device)
    cache = getattr(properties, "L2_cache_size", 0)
    found = [Level(name="L2", capacity=cache, working=cache // 2)] if cache else []
    found.append(Level(name="memory", capacity=None, working=min(tensors.GPU_BYTES, properties.total_memory // 8)))
    return Rates(
        device=name,
        bandwidths=tuple(_bandwidth(level, tensors.bandwidth(device, level.working)) for level in found),
        flops=tensors.products(device, tensors.GPU_SIDE, tensors.GPU_SIDE_FLOAT64),
        launch_seconds=tensors.launch_seconds(device),
    )


def _bandwidth(level: Level, rates: tuple[float, float]) -> Bandwidth:
    return Bandwidth(level=level.name, capacity=level.capacity, copied=rates[0], read=rates[1])


def main() -> None:
    rates = measured(Plan.model_validate_json(sys.argv[1]))
    os.write(sys.stdout.fileno(), rates.model_dump_json().encode())


if __name__ == "__main__":
    main()
