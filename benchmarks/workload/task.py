"""The benchmark's own task: a few milliseconds of numpy, so that the harness's cost shows."""

import numpy as np

from speciate.evaluators import (
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Paper,
    Size,
    Task,
    Verdict,
)

VECTOR = 256
"""Length of the input."""


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    """One instance and no smoke gate, so that one candidate is one process."""
    return [] if size == "smoke" else [Instance("only", {"x": rng.normal(size=VECTOR)})]


def judge(instance: Instance, output: object, log: object) -> Verdict:
    if not isinstance(output, np.ndarray) or output.shape != (2,) or not np.isfinite(output).all():
        return Verdict.invalid("return two finite numbers")
    first, second = (float(value) for value in output)
    return Verdict(True, {"merit": first, "place": second})


task = Task(
    id="bench_workload",
    family="benchmarks",
    title="The benchmark's workload",
    paper=Paper("none", 2026),
    entry=Entry("def work(x: np.ndarray) -> np.ndarray"),
    statement="Return two numbers: the first is the merit, the second the place in the archive.",
    instances=instances,
    judge=judge,
    objective=Objective("merit", Direction.MAXIMIZE, "linear"),
    descriptors=(Descriptor("place", 0.0, 1.0, bins=50), Descriptor("merit", 0.0, 1.0, bins=50)),
)
