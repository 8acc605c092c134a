"""Load balancing of a sparse mixture of experts without auxiliary loss, as an online dual method (2025).

A bias per expert is added to the routing affinities and moved after every batch by the loads alone. The paper shows
that this is an online primal-dual method, and that steps of order 1/n have logarithmic expected regret.

Scaled down: independent draws from one distribution of scores take the place of training a 1B model, so nothing drifts;
128 tokens a batch, 160 batches, 16 and 32 experts.

Changed against the catalogue's sketch: 128 tokens instead of 1024 (the trusted routing is the cost), which makes the
loads noisier; the optimum is found by L-BFGS, which comes to 1e-7 of it, instead of averaged subgradients. The sign
step with the constant 0.01 is the baseline; DeepSeek's constant 0.001 is worse here. Steps of 1/sqrt(n) and a constant
proportional step are known programs; the first comes close to the paper's step.
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
    costly,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import affinities, best_fixed_bias, dual_and_load

Array = np.ndarray[Any, Any]
GENERATOR = 1
LARGEST_BIAS = 10.0

STATEMENT = """
Balance the experts of a sparse mixture-of-experts layer, online, from the loads alone.

`balance(oracle, E, k, tokens, steps)` must call `load = oracle.route(p)` **exactly `steps` times**. Each call routes
the next batch: every one of its `tokens` tokens goes to the `k` of the `E` experts with the largest affinity + bias,
where `p` float64 (E,) is the bias, |p_e| <= 10. The reply is the load int64 (E,): how many tokens each expert got.
Nothing is returned; affinities stay hidden. Batches are drawn independently from one distribution, in which some
experts are much more popular than others.

**Measured.** With the balanced load L = `tokens` k / E, batch t has the convex function

f_t(p) = [sum over its tokens of the k largest values of (affinity + p) - L sum_e p_e] / `tokens`.

Its minimiser balances the loads while keeping as much affinity as possible. The objective is the average regret
(1/steps) sum_t f_t(p_t) - min_p (1/steps) sum_t f_t(p), where p_t is the bias of call t; geometric mean over several
layers (after adding 1e-5), smaller is better. Every call counts, from the first.

**Rules.** Another number of calls than `steps` is invalid. A call with a bias of another shape, not finite or too large
is refused with an exception and routes nothing, but uses up a call. Affinities lie between 0 and 1; E is 16 or 32.
"""


@dataclass(frozen=True)
class Layer:
    """``trace`` float32 (steps, tokens, E); ``optimum`` is the least mean dual of any fixed bias."""

    trace: Array
    optimum: float


@dataclass(slots=True)
class RoutingLog(CallLog):
    """Also the dual of every batch at the bias it was routed with."""

    duals: list[float] = field(default_factory=list)


class Router(Oracle):
    methods = ("route",)

    def __init__(self, instance: Instance) -> None:
        self.log: RoutingLog = RoutingLog()
        self.budget = float(instance.inputs["steps"])
        self._k: int = instance.inputs["k"]
        self._trace: Array = instance.secret.trace

    def route(self, *args: Any) -> Array:
        if len(args) != 1:
            raise OracleRefused("route takes one argument: the bias")
        try:
            p = as_array(args[0], shape=(self._trace.shape[2],), name="the bias", low=-LARGEST_BIAS, high=LARGEST_BIAS)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        dual, load = dual_and_load(self._trace[len(self.log.duals)], p, self._k)
        self.log.duals.append(dual)
        return load


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    steps, tokens, layers = {
        "smoke": (40, 128, (16,)),
        "default": (160, 128, (16, 16, 32, 32)),
        "gpu": (400, 4096, (64, 128)),
    }[size]
    made = []
    for number, experts in enumerate(layers, 1):
        k = int(rng.choice([choice for choice in (2, 4, 8) if 4 * choice <= experts]))
        spread, seed = float(rng.uniform(0.5, 1.5)), int(rng.integers(2**62))
        inputs = {"E": experts, "k": k, "tokens": tokens, "steps": steps}
        made.append(Instance(f"layer-{number}", inputs, _layer(seed, spread, **inputs)))
    return made


def _layer(seed: int, spread: float, E: int, k: int, tokens: int, steps: int) -> Layer:
    trace = affinities(seed, steps, tokens, E, spread)
    key = {"seed": seed, "spread": spread, "E": E, "k": k, "tokens": tokens, "steps": steps}
    found = costly("alf_lb_online_dual", GENERATOR, key, lambda: {"optimum": np.array(best_fixed_bias(trace, k)[1])})
    return Layer(trace, float(found["optimum"]))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    steps, balanced = instance.inputs["steps"], instance.inputs["tokens"] * instance.inputs["k"] / instance.inputs["E"]
    if not isinstance(log, RoutingLog) or len(log.duals) != steps or len(log.calls) != steps:
        return Verdict.invalid(f"route must be called, with a valid bias, exactly {steps} times")
    regret = float(np.mean(log.duals)) - instance.secret.optimum
    loads = np.array([call.reply for call in log.calls])
    last = np.asarray(log.calls[-1].args[0], dtype=np.float64)
    return Verdict(
        valid=True,
        metrics={
            "regret": max(regret, 0.0),
            "overload": float(np.mean(loads.max(1) / balanced - 1)),
            "final_bias": float(np.std(last)),
        },
    )


task = Task(
    id="alf_lb_online_dual",
    family="mixture_of_experts",
    title="Balancing experts online",
    paper=Paper(
        "A Theoretical Framework for Auxiliary-Loss-Free Load Balancing of Sparse Mixture-of-Experts in Large-Scale AI "
        "Models",
        2025,
    ),
    entry=Entry("def balance(oracle: Oracle, E: int, k: int, tokens: int, steps: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "log", floor=1e-5),
    descriptors=(
        Descriptor("overload", 0.2, 2.0, bins=8, scale="log"),
        Descriptor("final_bias", 0.02, 1.0, bins=6, scale="log"),
        Descriptor("code_size", 30, 300, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Router,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Steps of order 1/n have logarithmic expected regret where sign steps of constant size do not; measured here "
        "is the average regret from a cold start."
    ),
)
