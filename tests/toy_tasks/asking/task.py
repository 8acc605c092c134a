"""Oracle style with a budget: find the minimum of a hidden parabola."""

from speciate.evaluators import (
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Oracle,
    OracleRefused,
    Paper,
    Task,
    Verdict,
)
from speciate.evaluators.checks import Rejected, as_number


class Parabola(Oracle):
    methods = ("value",)

    def __init__(self, place, budget):
        super().__init__()
        self.place = place
        self.budget = budget

    def value(self, x):
        try:
            return (as_number(x, name="x") - self.place) ** 2
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def instances(rng, size):
    count = 1 if size == "smoke" else 3
    return [Instance(f"parabola{i}", {"budget": 40}, float(rng.uniform(0.2, 0.8))) for i in range(count)]


def judge(instance, output, log):
    x = as_number(output, name="x")
    if not abs(x - instance.secret) <= 0.05:
        return Verdict.invalid("x is not within 0.05 of the minimum")
    return Verdict(True, {"calls": float(len(log.calls))})


task = Task(
    id="asking",
    family="toys",
    title="The minimum of a hidden parabola",
    paper=Paper("None", 2026),
    entry=Entry("def search(oracle: Oracle, budget: int) -> float"),
    statement="Return x in [0, 1] within 0.05 of the minimum of oracle.value(x), asking as few times as you can.",
    instances=instances,
    judge=judge,
    objective=Objective("calls", Direction.MINIMIZE, "log", measure=Measure.ORACLE_COST),
    descriptors=(Descriptor("calls", 1, 40, bins=8), Descriptor("code_size", 10, 200, 6, "log")),
    style="oracle",
    oracle=lambda instance: Parabola(instance.secret, float(instance.inputs["budget"])),
    claim="Three values determine a parabola.",
)
