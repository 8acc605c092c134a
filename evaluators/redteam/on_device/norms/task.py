"""A task on a device, timed from outside: the squared norms of rows."""

import math

import numpy as np

from speciate.evaluators import (
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Unit,
    Verdict,
)
from speciate.evaluators.checks import as_array
from speciate.sandbox import MIB, Limits


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    rows = 1024 if size == "smoke" else 4096
    return [Instance("matrix", {"X": rng.standard_normal((rows, 64), dtype=np.float32)})]


def judge(instance: Instance, output: object, log: object) -> Verdict:
    truth = (instance.inputs["X"].astype(np.float64) ** 2).sum(axis=1)
    norms = as_array(output, shape=truth.shape)
    if not float(np.abs(norms - truth).max()) <= 1e-4 * float(truth.max()):
        return Verdict.invalid("these are not the squared norms of the rows")
    return Verdict(True, {"rows": float(len(truth))})


task = Task(
    id="redteam_device_norms",
    family="redteam",
    title="Squared norms of rows on a device, fast",
    paper=Paper("None", 2026),
    entry=Entry("def norms(X: Tensor) -> Tensor"),
    statement="Return the squared Euclidean norm of each row.",
    instances=instances,
    judge=judge,
    objective=Objective("device_seconds", Direction.MINIMIZE, "log", measure=Measure.DEVICE_SECONDS, unit="s"),
    descriptors=(Descriptor("code_size", 10, 200, 6, "log"),),
    limits=TaskLimits(
        run=Limits(cpu_seconds=15.0, wall_seconds=15.0, memory_bytes=2048 * MIB, threads=256, open_files=1024),
        imports=("numpy", "torch"),
        gpus=1.0,
    ),
    suspicious_ratio=1e9,
    unit=Unit(math.log(10.0), "ten times as fast as the loop"),
)
