"""Function style, CPU time as the objective: the squared norms of rows."""

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
    Verdict,
)
from speciate.evaluators.checks import as_array
from speciate.sandbox import MIB, Limits


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    return [Instance("matrix", {"X": rng.normal(size=(10 if size == "smoke" else 4000, 16))})]


def judge(instance: Instance, output: object, log: object) -> Verdict:
    X = instance.inputs["X"]
    norms = as_array(output, shape=(len(X),))
    if not np.abs(norms - (X * X).sum(axis=1)).max() <= 1e-9 * np.abs(norms).max():
        return Verdict.invalid("these are not the squared norms of the rows")
    return Verdict(True, {"rows": float(len(X))})


task = Task(
    id="redteam_rows",
    family="redteam",
    title="Squared norms of rows, fast",
    paper=Paper("None", 2026),
    entry=Entry("def norms(X: np.ndarray) -> np.ndarray"),
    statement="Return the squared Euclidean norm of each row.",
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", measure=Measure.CPU_SECONDS, unit="s"),
    descriptors=(Descriptor("code_size", 10, 200, 6, "log"),),
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=3.0, memory_bytes=512 * MIB)),
    suspicious_ratio=1000.0,
    claim="A vectorised sum is faster than a loop.",
)
