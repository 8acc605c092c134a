"""Optimising through a hidden neural network with directional attacks (Tahiri et al. 2024).

The goal is a known function of the network's output. Beside the output, a service attacks the network: it moves the
input within a small box so that the output moves along a wanted direction. A hybrid method uses attacks for fast ascent
and falls back on direct search.

Scaled down: networks of a few thousand weights with 10 to 50 inputs; attacks are signed gradient steps.

Changed against the catalogue's sketch: the goal is a concave quadratic of the outputs but one, and that one is limited;
the limit binds at most optima. Pictures are left out. The covering step of direct search is left out of the reference
(its guarantee is asymptotic, the budgets are not), and a poll after a failed attack takes eight directions of the
spanning set. Attacks without any direct search are the known program: exact where the limit does not bind, stuck where
it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ....evaluators.checks import as_array, as_number
from ....sandbox import MIB, Limits
from ..workloads import Network, fitted, network

Array = np.ndarray[Any, Any]
STEPS = (1, 5)
ROUNDING = 1e-6
LARGEST = 1e6

STATEMENT = """
Maximise a known function of the output of a hidden neural network, under a constraint on that output.

`maximise(oracle, x0, lo, hi, goal, budget)` receives a feasible start `x0` float64 (d,), bounds `lo` and `hi` (d,), the
`goal` and a `budget` in units.

- `oracle.output(x)`: the network's output z float64 (m,) at a point (d,); 1 unit.
- `oracle.attack(x, direction, radius, steps)`: a point x', at most `radius` from x in every coordinate and within the
  bounds, that is to move the output along `direction` (m,); made with `steps` (1 or 5) gradient steps inside the
  network; 1 + `steps` units.
- `goal`: arrays (m,) `linear`, `curvature` (not negative), `limited`, and the number `limit`. The function is
  linear . z - 1/2 sum_j curvature_j z_j^2; the constraint is limited . z <= limit.

Points outside the bounds are moved onto them. Return a point, float64 (d,), within the bounds.

**Measured.** Regret (best - f) / (best - f(x0)) at the point returned, where best is the largest value known; geometric
mean over the networks (after adding 1e-3), smaller is better. A point that violates the constraint by more than 1e-6
counts as the start. Networks are random deep ones, smooth ones, and trained surrogates; d is 10 to 50, the budget 200
or 400.

**Rules.** A call that the rest of the budget does not cover, and a malformed one, is refused with an exception.
"""


@dataclass(frozen=True)
class Hidden:
    network: Network
    best: float


def value(goal: dict[str, Any], z: Array) -> Array:
    """Of outputs (..., m)."""
    return z @ goal["linear"] - 0.5 * z**2 @ goal["curvature"]


def excess(goal: dict[str, Any], z: Array) -> Array:
    return z @ goal["limited"] - goal["limit"]


class Service(Oracle):
    methods = ("output", "attack")

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["budget"])
        self._network: Network = instance.secret.network
        self._lo, self._hi = instance.inputs["lo"], instance.inputs["hi"]
        self._outputs = len(instance.inputs["goal"]["linear"])

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        if method != "attack":
            return 1.0
        return 1.0 + (args[3] if len(args) == 4 and type(args[3]) is int and args[3] in STEPS else max(STEPS))

    def output(self, *args: Any) -> Array:
        if len(args) != 1:
            raise OracleRefused("output takes one argument: a point")
        return self._network.output(self._point(args[0])[None])[0]

    def attack(self, *args: Any) -> Array:
        if len(args) != 4 or type(args[3]) is not int or args[3] not in STEPS:
            raise OracleRefused("attack takes a point, a direction, a radius, and 1 or 5 steps")
        x = self._point(args[0])
        try:
            wanted = as_array(args[1], shape=(self._outputs,), name="the direction", low=-1e100, high=1e100)
            radius = as_number(args[2], name="the radius", low=0.0, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        lo, hi = np.maximum(x - radius, self._lo), np.minimum(x + radius, self._hi)
        y = x
        for _ in range(args[3]):
            y = y + 2 * radius / (1 + args[3]) * np.sign(self._network.gradient(y[None], wanted[None])[0])
            y = np.clip(y, lo, hi)
        return y

    def _point(self, x: Any) -> Array:
        try:
            point = as_array(x, shape=self._lo.shape, name="the point", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return np.clip(point, self._lo, self._hi)


def best_known(
    rng: np.random.Generator, net: Network, goal: dict[str, Any], lo: Array, hi: Array, start: Array
) -> float:
    """The largest feasible value on the paths of many projected gradient ascents with the gradients in the open.

    The constraint is a penalty whose weight grows from path to path.
    """
    count, steps = 96, 400
    x = np.vstack([start, rng.uniform(lo, hi, (count - 1, len(lo)))])
    size = np.linalg.norm(goal["linear"]) / np.linalg.norm(goal["limited"])
    penalty = size * np.geomspace(0.5, 20.0, count)[rng.permutation(count)][:, None]
    best = -np.inf
    for step in range(steps):
        z = net.output(x)
        values = np.where(excess(goal, z) <= 0, value(goal, z), -np.inf)
        best = max(best, float(values.max()))
        up = goal["linear"] - goal["curvature"] * z - penalty * (excess(goal, z)[:, None] > 0) * goal["limited"]
        gradient = net.gradient(x, up)
        gradient /= np.abs(gradient).max(axis=1, keepdims=True) + 1e-12
        x = np.clip(x + 0.2 * (hi - lo) * 0.98**step * gradient, lo, hi)
    return best


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    plan: list[tuple[str, tuple[int, ...], int]]
    if size == "smoke":
        plan = [("deep", (8, 16, 16, 4), 60), ("smooth", (8, 16, 16, 4), 60)]
    else:
        wide = 4 if size == "gpu" else 1
        plan = [
            ("deep", (30, 64 * wide, 64 * wide, 6), 200),
            ("deeper", (50, 64 * wide, 64 * wide, 64 * wide, 8), 400),
            ("smooth", (30, 48 * wide, 48 * wide, 6), 200),
            ("surrogate", (10, 48 * wide, 48 * wide, 6), 200),
        ]
    return [
        _instance(rng, name, copy, widths, budget)
        for name, widths, budget in plan
        for copy in range(1 if size == "smoke" else 5)
    ]


def _instance(rng: np.random.Generator, name: str, copy: int, widths: tuple[int, ...], budget: int) -> Instance:
    d, m = widths[0], widths[-1]
    net = network(rng, widths, name in ("smooth", "surrogate"))
    if name == "surrogate":
        x = rng.uniform(-1.0, 1.0, (400, d))
        net = fitted(net, x, np.sin(x @ rng.standard_normal((d, m))) + x**2 @ rng.uniform(-1, 1, (d, m)), 150)
    lo, hi = -np.ones(d), np.ones(d)
    x0 = rng.uniform(-0.5, 0.5, d)
    typical = net.output(rng.uniform(lo, hi, (200, d))).std(axis=0)
    wanted = np.arange(m) < m - 1
    goal = {
        "linear": wanted * rng.uniform(0.5, 1.0, m) / typical,
        "curvature": wanted * rng.uniform(0.05, 0.2, m) / typical**2,
        "limited": ~wanted / typical,
    }
    goal["limit"] = float(goal["limited"] @ net.output(x0[None])[0] + 0.5)
    inputs = {"x0": x0, "lo": lo, "hi": hi, "goal": goal, "budget": budget}
    return Instance(f"{name} of draw {copy}", inputs, Hidden(net, best_known(rng, net, goal, lo, hi, x0)))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    inputs, hidden = instance.inputs, instance.secret
    x = as_array(output, shape=inputs["x0"].shape, name="the point", low=-1.0, high=1.0)
    z, z0 = hidden.network.output(np.stack([x, inputs["x0"]]))
    start = float(value(inputs["goal"], z0))
    feasible = bool(excess(inputs["goal"], z) <= ROUNDING)
    reached = float(value(inputs["goal"], z)) if feasible else start
    attacks = sum(call.method == "attack" for call in log.calls) if log else 0
    return Verdict(
        valid=True,
        metrics={
            "regret": min(max((hidden.best - reached) / (hidden.best - start), 0.0), 1e3),
            "attacks": attacks / max(len(log.calls), 1) if log else 0.0,
            "feasible": float(feasible),
        },
    )


task = Task(
    id="directional_attack_dsm",
    family="zeroth_order",
    title="Optimising through a hidden network",
    paper=Paper("Optimization by Directional Attacks: Solving Problems with Neural Network Surrogates", 2024),
    entry=Entry(
        "def maximise(oracle: Oracle, x0: np.ndarray, lo: np.ndarray, hi: np.ndarray, goal: dict, budget: int)"
        " -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(
        Descriptor("attacks", 0.0, 1.0, bins=8),
        Descriptor("oracle_cost", 20, 400, bins=6, scale="log"),
        Descriptor("code_size", 100, 800, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Service,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Attacks combined with direct search consistently beat derivative-free baselines on three problems; measured "
        "here is the regret at equal budgets."
    ),
)
