"""Load balancing of experts by an online bias (A Theoretical Framework for Auxiliary-Loss-Free Load Balancing, 2025).

A sparse mixture of experts sends each token to the k experts with the highest affinity plus a bias per expert; the bias
is moved after each batch so that the loads become even. The paper reads the update as a primal-dual step on a strongly
convex expected dual and derives steps of order 1/n with logarithmic regret, where the sign rule in use has none.

Scaled down: independent synthetic scores instead of the drifting ones of a model in training, 128 tokens a batch, 150
steps. Changed against the catalogue's sketch: the callable ``route`` is the method of an oracle, and the offline optimum
is an averaged stochastic gradient over three passes, which is within 1e-4 of the best found by longer runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Oracle,
    OracleRefused,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import Rejected, as_array
from ....sandbox import Limits
from ..workloads import Routing, dual, offline_optimum, routing

STATEMENT = """
A router sends every token to the `k` experts with the highest *affinity + bias*. The affinities of a token are in
(0, 1), the biases `p` (one per expert) are yours. Some experts are more popular than others; the biases should make the
loads even without taking tokens away from the experts that suit them.

`balance(oracle, E, k, tokens, steps)` must call `load = oracle.route(p)` exactly `steps` times, with `p` a float64 array
of shape `(E,)` and finite entries in [-10, 10]. Each call routes the next batch of `tokens` tokens, drawn from one fixed
distribution, and returns the number of tokens that each expert received, an int64 array of shape `(E,)`. Nothing else
is seen, and nothing is returned.

Measured is the regret: the mean over the batches of `f_t(p_t) - f_t(p*)`, where
`f_t(p) = (sum over tokens of the sum of the k largest affinity + p  -  L * sum(p)) / tokens`, `L = tokens * k / E`, and
`p*` is the best fixed bias for all batches in hindsight. The objective is the geometric mean of (regret + 1e-5) over
instances that differ in E, k and popularity; smaller is better. Every call counts; there are no free probes.
"""

SIZES = {
    "smoke": ((16, 2, 64, 40),),
    "default": tuple((experts, chosen, 128, 150) for experts, chosen in ((16, 2), (16, 4), (32, 2), (32, 4), (48, 4), (48, 8))),
    "gpu": ((256, 8, 8192, 100),),
}
"""(experts, chosen, tokens, steps) of the instances."""

BOUND = 10.0
FLOOR = 1e-5


@dataclass(frozen=True)
class Secret:
    """``optimal`` (steps,) are the dual's values at the best fixed bias."""

    problem: Routing
    optimal: np.ndarray


@dataclass(slots=True)
class RoutingLog(CallLog):
    """With the dual's value and the heaviest relative load of each batch."""

    values: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


class Router(Oracle):
    """Routes the next batch under the bias that it is given."""

    methods = ("route",)

    def __init__(self, problem: Routing) -> None:
        self.problem = problem
        self.budget = float(problem.steps)
        self.log: RoutingLog = RoutingLog()

    def route(self, bias: Any) -> np.ndarray:
        problem = self.problem
        try:
            p = as_array(bias, shape=(problem.experts,), name="p", low=-BOUND, high=BOUND)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        value, load = dual(problem.affinities[len(self.log.values)], p, problem.chosen)
        self.log.values.append(value)
        self.log.peaks.append(float(load.max()) * problem.experts / (problem.tokens * problem.chosen))
        return load


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    made = []
    for number, (experts, chosen, tokens, steps) in enumerate(SIZES[size]):
        problem = routing(rng, experts, chosen, tokens, steps)
        best = offline_optimum(problem)
        optimal = np.array([dual(batch, best, chosen)[0] for batch in problem.affinities])
        inputs = {"E": experts, "k": chosen, "tokens": tokens, "steps": steps}
        made.append(Instance(f"router{number}", inputs, Secret(problem, optimal)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    optimal = instance.secret.optimal
    if not isinstance(log, RoutingLog) or len(log.values) != len(optimal):
        return Verdict.invalid(f"route must be called exactly {len(optimal)} times")
    regret = max(float(np.mean(log.values - optimal)), 0.0)
    return Verdict(True, {"regret": regret, "max_violation": float(np.mean(log.peaks)) - 1.0})


task = Task(
    id="alf_lb_online_dual",
    family="mixture_of_experts",
    title="Online load balancing of experts by a bias",
    paper=Paper(
        "A Theoretical Framework for Auxiliary-Loss-Free Load Balancing of Sparse Mixture-of-Experts in Large-Scale AI "
        "Models",
        2025,
    ),
    entry=Entry("def balance(oracle: Oracle, E: int, k: int, tokens: int, steps: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "log", floor=FLOOR),
    descriptors=(
        Descriptor("max_violation", 0.1, 2.0, bins=10, scale="log"),
        Descriptor("code_size", 30, 300, bins=10, scale="log"),
    ),
    style="oracle",
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=20.0)),
    oracle=lambda instance: Router(instance.secret.problem),
    claim="Steps of order 1/n have a regret several times smaller than the sign rule with a constant step.",
)
