"""Function style, CPU time as the objective: the squared norms of rows."""

import numpy as np

from speciate.evaluators import Descriptor, Direction, Entry, Instance, Measure, Objective, Paper, Task, Verdict
from speciate.evaluators.checks import as_array


def instances(rng, size):
    rows = 20 if size == "smoke" else 1500
    return [Instance(f"matrix{i}", {"X": rng.normal(size=(rows, 16))}) for i in range(1 if size == "smoke" else 2)]


def judge(instance, output, log):
    X = instance.inputs["X"]
    norms = as_array(output, shape=(len(X),))
    if not np.abs(norms - (X * X).sum(axis=1)).max() <= 1e-9 * (X * X).sum():
        return Verdict.invalid("these are not the squared norms of the rows")
    return Verdict(True, {"rows": float(len(X))})


task = Task(
    id="timed",
    family="toys",
    title="Squared norms, fast",
    paper=Paper("None", 2026),
    entry=Entry("def norms(X: np.ndarray) -> np.ndarray"),
    statement="Return the squared Euclidean norm of each row.",
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", measure=Measure.CPU_SECONDS, unit="s"),
    descriptors=(Descriptor("cpu_seconds", 1e-3, 1.0, bins=6, scale="log"), Descriptor("code_size", 10, 200, 6, "log")),
    repeats=3,
    suspicious_ratio=1000.0,
    claim="A vectorised sum is faster than a loop.",
)
