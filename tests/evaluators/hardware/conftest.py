"""Ceilings that were never measured."""

from __future__ import annotations

import pytest

from speciate.evaluators.hardware import Bandwidth, Ceilings, Machine, Rates
from speciate.evaluators.hardware.machine import Cache


@pytest.fixture
def machine() -> Machine:
    return Machine(
        processor="Imagined 9000",
        architecture="x86_64",
        cores=4,
        present=8,
        affinity="0-3",
        caches=(Cache(level=1, size=32_000, shared_by=1), Cache(level=2, size=1_000_000, shared_by=1)),
        memory=8_000_000_000,
        gpus=(),
        libraries=("numpy 2.0",),
    )


def rates(device: str, threads: int | None, scale: float) -> Rates:
    return Rates(
        device=device,
        threads=threads,
        bandwidths=(
            Bandwidth(level="L2", capacity=1_000_000, copied=80e9 * scale, read=100e9 * scale),
            Bandwidth(level="memory", capacity=None, copied=20e9 * scale, read=10e9 * scale),
        ),
        flops={"float64": 50e9 * scale, "float32": 100e9 * scale, "tf32": None, "bfloat16": 200e9 * scale},
        launch_seconds=None if threads else 4e-6,
    )


@pytest.fixture
def ceilings(machine: Machine) -> Ceilings:
    """One core, four cores that are four times as fast, a GPU that is a hundred times as fast."""
    return Ceilings(
        machine=machine,
        cpu=(rates("cpu", 1, 1.0), rates("cpu", 4, 4.0)),
        gpus=(rates("cuda:0", None, 100.0),),
        measured_at="2026-01-01T00:00:00+00:00",
        load=0.1,
        seconds=9.0,
    )
