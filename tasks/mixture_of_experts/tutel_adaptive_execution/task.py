"""Choosing how to execute a layer of experts while its load changes (Hwang et al. 2023, Tutel).

Parallelism and pipelining are chosen anew in every iteration: the one in closed form from the traffic, the other from
what was measured before at a like capacity factor.

Scaled down: no kernels and no cluster, only the choice, on a model of the times of one layer; 1000 iterations.

Changed against the catalogue's sketch: one call makes a step and tells the next factor, which halves the calls. The
constants are spread more widely, so that the best choice differs from cluster to cluster and changes along a trace: the
best fixed choice for all clusters is not much more than half the way to the reference. On a single cluster, the best
fixed choice in hindsight is a little better than the paper's method (1.05 against 1.08 times the least possible), as
the row says: what is won is not having to know it. Trying everything twice and keeping the best is the known program,
four fifths of the way to the reference.
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
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import capacity_factors, expert_layer, layer_ms

Array = np.ndarray[Any, Any]
Strategy = tuple[int, int, int]
R_CHOICES = (0, 1, 2, 4, 8)
DEGREE_CHOICES = (1, 2, 4, 8)
STRATEGIES = tuple((r, degree, form) for r in R_CHOICES for degree in DEGREE_CHOICES for form in (0, 1))
NOISE = 0.03
LARGEST_FACTOR = 16.0

STATEMENT = """
Choose, iteration after iteration, how a layer of experts is executed on a cluster, so that all iterations together take
little time.

`execute(oracle, spec, steps, first)` must call `ms, following = oracle.step(r, degree, hierarchical)` **exactly `steps`
times**. Each call runs one iteration: `ms` is its measured time (3 % noise), `following` the capacity factor of the
next iteration, which lies between 1 and about 16, drifts and jumps; that of the first iteration is `first`. The factor
says how many tokens the busiest expert has to hold, so that work and traffic grow with it. Nothing is returned.

- `r` in `spec["r_choices"]`: how experts are spread. 0 gathers all experts' parameters on every device and moves no
  tokens (traffic `spec["gather"] * spec["params_mb"]`, `degree` and `hierarchical` then do not matter); r >= 1 moves
  tokens (traffic in proportion to factor, r and `spec["token_mb"]`) and a share 1 / r of `spec["params_mb"]`.
- `degree` in `spec["degree_choices"]`: into how many pieces the exchange of tokens is cut to overlap with the experts'
  work; every piece costs a start-up and slows the work.
- `hierarchical` 0 or 1: the form of the exchange; messages start sooner with 1 but move more slowly.

Start-up times, bandwidths and speeds are hidden and differ widely between clusters.

**Measured.** The true time of all iterations over that of the best choice in each iteration; geometric mean over
several clusters, smaller is better.

**Rules.** Another number of iterations is invalid. A choice that does not exist is refused with an exception and uses
up an iteration.
"""


@dataclass(frozen=True)
class Cluster:
    """``times`` (steps, strategies) are true, ``noise`` of the same shape multiplies them in what is told."""

    factors: Array
    times: Array
    noise: Array


@dataclass(slots=True)
class Execution(CallLog):
    """Also the number of the strategy of every iteration."""

    chosen: list[int] = field(default_factory=list)


class Layer(Oracle):
    methods = ("step",)

    def __init__(self, instance: Instance) -> None:
        self.log: Execution = Execution()
        self.budget = float(instance.inputs["steps"])
        self._cluster: Cluster = instance.secret

    def step(self, *args: Any) -> tuple[float, float]:
        try:
            wanted = tuple(as_array(list(args), shape=(3,), name="the strategy", integer=True).tolist())
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if wanted not in STRATEGIES:
            raise OracleRefused("there is no such choice of r, degree and hierarchical")
        now, place = len(self.log.chosen), STRATEGIES.index(wanted)
        self.log.chosen.append(place)
        cluster = self._cluster
        following = float(cluster.factors[min(now + 1, len(cluster.factors) - 1)])
        return float(cluster.times[now, place] * cluster.noise[now, place]), following


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    steps, copies = {"smoke": (300, 2), "default": (1000, 10), "gpu": (10000, 20)}[size]
    made = []
    for copy in range(copies):
        layer = expert_layer(rng)
        factors = capacity_factors(rng, steps, LARGEST_FACTOR)
        times = np.column_stack([layer_ms(layer, factors, *strategy) for strategy in STRATEGIES])
        noise = np.exp(NOISE * rng.standard_normal(times.shape))
        spec = {"r_choices": list(R_CHOICES), "degree_choices": list(DEGREE_CHOICES)}
        spec |= {name: layer[name] for name in ("token_mb", "params_mb", "gather")}
        inputs = {"spec": spec, "steps": steps, "first": float(factors[0])}
        made.append(Instance(f"cluster of draw {copy}", inputs, Cluster(factors, times, noise)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    steps, cluster = instance.inputs["steps"], instance.secret
    if not isinstance(log, Execution) or len(log.chosen) != steps:
        return Verdict.invalid(f"step must be called, with a choice that exists, exactly {steps} times")
    spent = cluster.times[np.arange(steps), log.chosen]
    changes = np.count_nonzero(np.diff(log.chosen))
    return Verdict(
        valid=True,
        metrics={
            "slowdown": float(spent.sum() / cluster.times.min(axis=1).sum()),
            "strategies": float(len(set(log.chosen))),
            "changes": changes / steps,
        },
    )


task = Task(
    id="tutel_adaptive_execution",
    family="mixture_of_experts",
    title="Executing experts under a changing load",
    paper=Paper("Tutel: Adaptive Mixture-of-Experts at Scale", 2023),
    entry=Entry("def execute(oracle: Oracle, spec: dict, steps: int, first: float) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("slowdown", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("strategies", 1.0, 33.0, bins=8, scale="log"),
        Descriptor("changes", 0.0, 0.6, bins=6),
        Descriptor("code_size", 50, 600, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Layer,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Adaptive parallelism and pipelining run a layer up to 4.96 times as fast as a static stack, 1.55 times end to "
        "end; measured here is the total time against the best choice of every iteration."
    ),
)
