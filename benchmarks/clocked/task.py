"""A cheap clocked task for benchmarks of the clock: running sums, a few milliseconds of CPU each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from speciate.evaluators import (
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
from speciate.evaluators.checks import as_array


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    length = 200 if size == "smoke" else 30_000
    return [Instance(f"walk{i}", {"x": rng.normal(size=length)}) for i in range(1 if size == "smoke" else 2)]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    x = instance.inputs["x"]
    sums = as_array(output, shape=x.shape)
    if not np.abs(sums - np.cumsum(x)).max() <= 1e-9 * np.abs(x).sum():
        return Verdict.invalid("these are not the running sums")
    return Verdict(True)


task = Task(
    id="clocked",
    family="benchmarks",
    title="Running sums in little time",
    paper=Paper("None", 2026),
    entry=Entry("def running_sums(x: np.ndarray) -> np.ndarray"),
    statement="Return the sums of the first 1, 2, ... numbers of x. The objective is CPU time.",
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", Measure.CPU_SECONDS, unit="s"),
    descriptors=(Descriptor("code_size", 10, 1000, bins=4, scale="log"),),
    repeats=4,
    suspicious_ratio=1000.0,
    claim="A vectorised sum is faster than a loop.",
)
