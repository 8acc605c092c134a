"""Staged style: fit on one process, predict in another; only the artefact passes between them."""

import numpy as np

from speciate.evaluators import Descriptor, Direction, Entry, Instance, Objective, Paper, Task, Verdict
from speciate.evaluators.checks import as_array


def instances(rng, size):
    return [_instance(f"line{i}", rng) for i in range(1 if size == "smoke" else 3)]


def _instance(name, rng):
    x, slope = rng.normal(size=60), rng.uniform(1, 3)
    y = slope * x + 0.01 * rng.normal(size=60)
    return Instance(name, {"X": x[:30], "y": y[:30]}, (x[30:], y[30:]))


def drive(instance, session):
    model = session.call("fit", instance.inputs)
    return session.call("predict", {"model": model, "X": instance.secret[0]})


def judge(instance, output, log):
    truth = instance.secret[1]
    guess = as_array(output, shape=truth.shape)
    return Verdict(True, {"error": float(np.abs(guess - truth).mean())})


task = Task(
    id="staged",
    family="toys",
    title="A line through points",
    paper=Paper("None", 2026),
    entry=Entry(
        "def fit(X: np.ndarray, y: np.ndarray) -> float\ndef predict(model: float, X: np.ndarray) -> np.ndarray"
    ),
    statement="Fit y as a multiple of X, then predict it.",
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-6),
    descriptors=(Descriptor("code_size", 10, 200, 6, "log"),),
    style="staged",
    drive=drive,
    claim="Least squares fits better than the slope between two points.",
)
