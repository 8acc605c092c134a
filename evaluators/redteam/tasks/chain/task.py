"""Rounds style with several calls in one process: each input is sent after the reply to the one before."""

import numpy as np

from speciate.evaluators import (
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Paper,
    Session,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from speciate.evaluators.checks import as_array
from speciate.sandbox import MIB, Limits

CALLS = 6


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    return [Instance(f"numbers{i}", {}, rng.uniform(1, 9, CALLS)) for i in range(1 if size == "smoke" else 2)]


def drive(instance: Instance, session: Session) -> list[object]:
    with session.process() as process:
        return [process.call("turn", {"n": n}) for n in instance.secret.tolist()]


def judge(instance: Instance, output: object, log: object) -> Verdict:
    roots = as_array(output, shape=(CALLS,), name="the roots")
    return Verdict(True, {"error": float(np.abs(roots - np.sqrt(instance.secret)).mean())})


task = Task(
    id="redteam_chain",
    family="redteam",
    title="Square roots, one after the other",
    paper=Paper("None", 2026),
    entry=Entry("def turn(n: float) -> float"),
    statement="Return the square root of n.",
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(Descriptor("code_size", 5, 100, 6, "log"),),
    style="rounds",
    drive=drive,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=3.0, memory_bytes=512 * MIB)),
    claim="A square root is nearer than one step of Heron's method.",
)
