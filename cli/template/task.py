"""A task of your own: change the statement, the instances, the judge and the two programs.

As it stands it asks for the centre of heavy-tailed samples. `speciate check` on this folder says whether
the task is sound; `speciate run` on it searches for a better program than baseline.py.
"""

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
from speciate.evaluators.checks import as_array

STATEMENT = """
Each row of `X` holds independent draws from a symmetric distribution with heavy tails. Estimate the centre of
symmetry of each row.

`estimate(X)` receives a float64 array of shape `(rows, draws)` and returns a float64 array of shape `(rows,)`.
Measured is the mean absolute error over the rows; lower is better. Only numpy may be imported.
"""


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    """What the programs are run on. `inputs` are the entry's arguments, `secret` is for the judge alone."""
    count, rows = (2, 50) if size == "smoke" else (8, 400)
    return [_instance(f"sample{i}", rng, rows) for i in range(count)]


def _instance(name: str, rng: np.random.Generator, rows: int) -> Instance:
    centre = rng.uniform(-100, 100, size=rows)  # wide: a search learns whatever all instances have in common
    draws = centre[:, None] + rng.standard_t(1.5, size=(rows, 30))
    return Instance(name, inputs={"X": draws}, secret=centre)


def judge(instance: Instance, output: object, log: object) -> Verdict:
    """Look at type, shape and finiteness first; accept only what is verified; never tell the secret."""
    estimate = as_array(output, shape=instance.secret.shape, name="the estimate")
    return Verdict(True, {"error": float(np.abs(estimate - instance.secret).mean())})


task = Task(
    id="my_task",
    family="mine",
    title="The centre of heavy-tailed samples",
    paper=Paper("Where the method of reference.py comes from", 2026),
    entry=Entry("def estimate(X: np.ndarray) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, scale="log"),
    descriptors=(Descriptor("code_size", 20, 500, bins=10, scale="log"), Descriptor("error", 0.1, 10.0, 10, "log")),
    claim="The sample median has a smaller error than the mean under heavy tails.",
)
