"""Oracle style with a budget: find the minimum of a hidden parabola by few questions."""

import numpy as np

from speciate.evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Oracle,
    OracleRefused,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from speciate.evaluators.checks import Rejected, as_number
from speciate.sandbox import MIB, Limits

BUDGET = 40


class Parabola(Oracle):
    methods = ("value",)

    def __init__(self, place: float) -> None:
        super().__init__()
        self.budget = float(BUDGET)
        self.place = place

    def value(self, *args: object) -> float:
        if len(args) != 1:
            raise OracleRefused("value takes one number")
        try:
            return (as_number(args[0], name="x", low=-1e3, high=1e3) - self.place) ** 2
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    return [Instance(f"parabola{i}", {}, float(rng.uniform(0.2, 0.8))) for i in range(1 if size == "smoke" else 2)]


def judge(instance: Instance, output: object, log: CallLog | None) -> Verdict:
    x = as_number(output, name="x")
    if log is None or not abs(x - instance.secret) <= 0.05:
        return Verdict.invalid("x is not within 0.05 of the minimum")
    return Verdict(True, {"calls": float(len(log.calls))})


task = Task(
    id="redteam_asking",
    family="redteam",
    title="The minimum of a hidden parabola",
    paper=Paper("None", 2026),
    entry=Entry("def search(oracle: Oracle) -> float"),
    statement="Return x in [0, 1] within 0.05 of the minimum of oracle.value(x), asking as few times as you can.",
    instances=instances,
    judge=judge,
    objective=Objective("calls", Direction.MINIMIZE, "log", measure=Measure.ORACLE_COST, floor=0.1),
    descriptors=(Descriptor("code_size", 10, 200, 6, "log"),),
    style="oracle",
    oracle=lambda instance: Parabola(instance.secret),
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=3.0, memory_bytes=512 * MIB)),
    claim="Three values determine a parabola.",
)
