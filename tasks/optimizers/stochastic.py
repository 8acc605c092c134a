"""Functions of which only noisy gradients are served: the oracle, the verdict on a point, and four kinds of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...evaluators import CallLog, Instance, Oracle, OracleRefused, Rejected, Verdict
from ...evaluators.checks import as_array
from . import workloads

Array = np.ndarray[Any, Any]

LARGEST = 1e6
WORST_GAP = 1e3


@dataclass(frozen=True)
class Stochastic:
    """``sample(rng, x)`` is an unbiased gradient (d,) at x (d,); ``value`` is exact, ``least`` a lower bound of it."""

    start: Array
    sample: Callable[[np.random.Generator, Array], Array]
    value: Callable[[Array], float]
    least: float

    def gap(self, x: Array) -> float:
        """(f(x) - least) / (f(start) - least), at most 1000."""
        with np.errstate(over="ignore", invalid="ignore"):
            gap = (self.value(x) - self.least) / (self.value(self.start) - self.least)
        return min(max(gap, 0.0), WORST_GAP)


@dataclass(frozen=True)
class Sampled:
    """A function and the seed of its noise: the same for every program."""

    function: Stochastic
    seed: int


class NoisyGradients(Oracle):
    """``grad(x)``, at most ``budget`` times: by default ``N``, an input of the instance."""

    methods = ("grad",)

    def __init__(self, instance: Instance, budget: int | None = None) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["N"] if budget is None else budget)
        sampled: Sampled = instance.secret
        self._function = sampled.function
        self._rng = np.random.default_rng(sampled.seed)

    def grad(self, *args: Any) -> Array:
        gradient = self._function.sample(self._rng, self._point(args))
        if not np.isfinite(gradient).all():
            raise OracleRefused("the function is too steep there")
        return gradient

    def _point(self, args: tuple[Any, ...]) -> Array:
        """The one argument, checked. Raises: OracleRefused."""
        if len(args) != 1:
            raise OracleRefused("this method takes one argument: the point")
        try:
            return as_array(args[0], shape=self._function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def instance_of(rng: np.random.Generator, name: str, function: Stochastic, steps: int, rate: float) -> Instance:
    inputs = {"x0": function.start, "N": steps, "lr": rate}
    return Instance(name, inputs, Sampled(function, int(rng.integers(2**62))))


def gap_verdict(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    """The relative gap at the returned point; ``stride`` is the typical step between calls over the given rate."""
    function: Stochastic = instance.secret.function
    x = as_array(output, shape=function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
    gap = function.gap(x)
    if not np.isfinite(gap):
        return Verdict.invalid("the function has no value at the point")
    points = np.array([call.args[0] for call in log.calls]) if log and log.calls else np.zeros((0, x.size))
    moves = np.sqrt(np.mean(np.diff(points, axis=0) ** 2, axis=1)) if len(points) > 1 else np.zeros(1)
    return Verdict(
        valid=True,
        metrics={
            "gap": gap,
            "stride": float(np.median(moves)) / instance.inputs["lr"],
            "calls": len(points) / instance.inputs["N"],
        },
    )


def _well(kind: int, t: Array) -> tuple[Array, Array]:
    """Value and slope of F1, F2 or F3 of the diffGrad paper (Dubey et al. 2020, section IV), entry by entry."""
    if kind == 0:
        left = t <= 0
        return np.where(left, (t + 0.3) ** 2, (t - 0.2) ** 2 + 0.05), 2 * np.where(left, t + 0.3, t - 0.2)
    if kind == 1:
        left = t <= -0.9
        slope = 3 * t**2 + np.sin(8 * t) + 8 * t * np.cos(8 * t)
        return np.where(left, -40 * t - 35.15, t**3 + t * np.sin(8 * t) + 0.85), np.where(left, -40.0, slope)
    size = np.abs(t)
    near, far = size <= 0.4, size > 0.5
    value = np.where(near, 7 * size / 8, np.where(far, t**2, 0.75 - size))
    return value, np.where(near, 7 * np.sign(t) / 8, np.where(far, 2 * t, -np.sign(t)))


def wells(rng: np.random.Generator, d: int) -> Stochastic:
    """A sum of d non-convex functions of one variable each, stretched, shifted and mirrored, with noisy slopes."""
    kind, stretch = rng.integers(0, 3, d), rng.uniform(0.7, 1.4, d)
    shift, side, noise = rng.standard_normal(d), rng.choice([-1.0, 1.0], d), 0.3

    def both(x: Array) -> tuple[float, Array]:
        t = side * (x - shift) / stretch
        parts = [_well(k, t) for k in range(3)]
        value = np.choose(kind, [part[0] for part in parts])
        return float(value.sum()), np.choose(kind, [part[1] for part in parts]) * side / stretch

    line = np.linspace(-1.5, 1.5, 30_001)
    least = sum(float(_well(k, line)[0].min()) for k in kind)
    start = shift - side * stretch
    return Stochastic(start, lambda r, x: both(x)[1] + noise * r.standard_normal(d), lambda x: both(x)[0], least)


def ill_scaled_logistic(rng: np.random.Generator, n: int, d: int, batch: int) -> Stochastic:
    """Logistic regression whose features have sizes over one and a half decades; minibatch gradients."""
    from scipy.optimize import minimize

    ridge = 1e-3
    A = rng.standard_normal((n, d)) * 10 ** rng.uniform(-1, 0.5, d)
    truth = 2 * rng.standard_normal(d) / (np.abs(A).mean(axis=0) * np.sqrt(d))
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-A @ truth)), 1.0, -1.0)

    def value(x: Array) -> float:
        return float(np.logaddexp(0, -y * (A @ x)).mean() + 0.5 * ridge * x @ x)

    def slope(x: Array, rows: Array) -> Array:
        wrong = y[rows] / (1 + np.exp(np.minimum(y[rows] * (A[rows] @ x), 500)))
        return -A[rows].T @ wrong / len(rows) + ridge * x

    options = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-9}
    best = minimize(value, np.zeros(d), jac=lambda x: slope(x, np.arange(n)), method="L-BFGS-B", options=options)
    return Stochastic(np.zeros(d), lambda r, x: slope(x, r.integers(0, n, batch)), value, float(best.fun))


def glyph_net(rng: np.random.Generator, hidden: int, batch: int) -> Stochastic:
    """The training loss of a two-layer perceptron on 1,000 glyphs, a tenth of them with random labels."""
    problem = workloads.noisy_glyphs(rng, classes=10, hidden=hidden, batch=batch, wrong=0.1)
    problem = replace(problem, features=problem.features[:1000], labels=problem.labels[:1000])
    shown = replace(problem, held_out=problem.features, truth=np.eye(10)[problem.labels])

    def sample(r: np.random.Generator, x: Array) -> Array:
        rows = r.integers(0, 1000, batch)
        return workloads.loss_gradient(problem, x.astype(np.float32), rows).astype(np.float64)

    return Stochastic(
        problem.start.astype(np.float64), sample, lambda x: workloads.excess_loss(shown, x.astype(np.float32)), 0.0
    )


def saddles(rng: np.random.Generator, d: int) -> Stochastic:
    """Monkey saddles c (u^3 - 3 u v^2) + (u^2 + v^2)^2 / 4 in d / 2 rotated planes, started near their flat centres."""
    depth, axes, noise = np.exp(rng.uniform(-0.5, 0.5, d // 2)), np.linalg.qr(rng.standard_normal((d, d)))[0], 0.1

    def value(x: Array) -> float:
        u, v = (axes.T @ x).reshape(-1, 2).T
        return float(np.sum(depth * (u**3 - 3 * u * v**2) + (u**2 + v**2) ** 2 / 4))

    def slope(x: Array) -> Array:
        u, v = (axes.T @ x).reshape(-1, 2).T
        square = u**2 + v**2
        in_u, in_v = 3 * depth * (u**2 - v**2) + square * u, -6 * depth * u * v + square * v
        return axes @ np.stack([in_u, in_v], axis=1).ravel()

    least = -6.75 * float(np.sum(depth**4))
    start = 0.1 * rng.standard_normal(d)
    return Stochastic(start, lambda r, x: slope(x) + noise * r.standard_normal(d), value, least)
