"""The size ``gpu`` of two_pass_softmax: a real kernel in the place of the model's.

The result is the softmax summed over blocks, so that its way back to the host is short beside the work: a softmax as
long as its input takes the bus a hundred times as long as the GPU. Several temperatures make the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Size,
    Task,
    Verdict,
)
from .....evaluators.checks import as_array
from ....gpu import CALLED, GPU_LIMITS

TOLERANCE = 5e-3
NEGLIGIBLE = 1e-12
"""Masses below are compared absolutely."""
BLOCK = 4096

STATEMENT = f"""
Compute softmax of long vectors at several temperatures, summed over blocks.

`block_masses(x, temperatures, block)` receives x float32 (rows, n), a list of T positive numbers and the block length
(n is a multiple of it), and returns float32 (T, rows, n / block): for each temperature t the sum of softmax(x / t),
taken over a row, over each block of consecutive columns.

**Validity.** Every mass is within 5e-3 of the exact one relatively, or within 1e-12 absolutely. Entries reach from
-300 to 300, temperatures from 0.25 to 4.
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    rows, blocks, count = (4, 64, 6) if size == "smoke" else (16, 256, 16)
    x = rng.standard_normal((rows, blocks * BLOCK), dtype=np.float32)
    x *= rng.uniform(0.5, 4.0, size=(rows, 1)).astype(np.float32)
    x[:, int(rng.integers(x.shape[1]))] += 40.0
    x += rng.uniform(-200, 200, size=(rows, 1)).astype(np.float32)
    temperatures = np.exp(rng.uniform(np.log(0.25), np.log(4.0), size=count)).tolist()
    inputs = {"x": x, "temperatures": temperatures, "block": BLOCK}
    return [Instance("long rows", inputs, exact(x, temperatures))]


def exact(x: np.ndarray, temperatures: Sequence[float]) -> np.ndarray:
    """Masses (T, rows, blocks) in double precision."""
    masses = np.empty((len(temperatures), len(x), x.shape[1] // BLOCK))
    for place, row in enumerate(x):
        shifted = (row.astype(np.float64) - float(row.max())).reshape(-1, BLOCK)
        for at, temperature in enumerate(temperatures):
            masses[at, place] = np.exp(shifted / temperature).sum(axis=1)
    return masses / masses.sum(axis=2, keepdims=True)


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    truth = instance.secret
    found = as_array(output, shape=truth.shape, low=0.0, high=1.0 + TOLERANCE)
    error = np.abs(found - truth) / np.maximum(truth, NEGLIGIBLE / TOLERANCE)
    if not float(error.max()) <= TOLERANCE:
        return Verdict.invalid(f"{int((error > TOLERANCE).sum())} of {error.size} masses are outside the tolerance")
    return Verdict(True, {"error": max(float(error.max()), 1e-9)})


task = Task(
    id="two_pass_softmax_gpu",
    family="attention_kernels",
    title="Softmax of long vectors on a GPU",
    paper=Paper("The Two-Pass Softmax Algorithm", 2020),
    entry=Entry("def block_masses(x: Tensor, temperatures: list, block: int) -> Tensor"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("device_seconds", Direction.MINIMIZE, "log", measure=Measure.DEVICE_SECONDS, unit="s"),
    descriptors=(
        Descriptor("error", 1e-8, 5e-3, bins=8, scale="log"),
        Descriptor("code_size", 40, 800, bins=8, scale="log"),
    ),
    limits=GPU_LIMITS,
    suspicious_ratio=20.0,
    claim=(
        "Exponentials kept with an exponent of their own need no pass for the maximum: fewer transfers than a softmax "
        "in three passes that is stored and then summed."
    ),
)
