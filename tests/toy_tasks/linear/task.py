"""Function style, the judge's metric, linear scale: guess the factor by which a vector was stretched."""

import numpy as np

from speciate.evaluators import Descriptor, Direction, Entry, Instance, Objective, Paper, Task, Verdict
from speciate.evaluators.checks import as_array

FACTOR = 2.5


def instances(rng, size):
    count = 1 if size == "smoke" else 3
    return [_instance(f"vector{i}", rng.normal(size=8)) for i in range(count)]


def _instance(name, x):
    return Instance(name, {"x": x}, FACTOR * x)


def judge(instance, output, log):
    y = as_array(output, shape=instance.secret.shape)
    norm = float(np.linalg.norm(instance.secret))
    return Verdict(True, {"error": float(np.linalg.norm(y - instance.secret)) / norm, "first": float(y[0])})


task = Task(
    id="linear",
    family="toys",
    title="Stretch a vector",
    paper=Paper("None", 2026),
    entry=Entry("def solve(x: np.ndarray) -> np.ndarray"),
    statement="Return x times a factor that you do not know.",
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "linear"),
    descriptors=(Descriptor("first", -3.0, 3.0, bins=6), Descriptor("code_size", 10, 200, bins=6, scale="log")),
    claim="2.5 is nearer to 2.5 than 1.",
)
