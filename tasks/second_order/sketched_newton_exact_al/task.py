"""Equality-constrained optimisation at a price per operation (Hong, Na, Mahoney and Kolar 2023, Constrained
Optimization via Exact Augmented Lagrangian and Randomized Iterative Sketching).

The paper solves Newton's systems inexactly by randomised projections on their rows, to an accuracy that adapts itself
until the step descends on an exact augmented Lagrangian. Steps cost sweeps instead of factorisations.

Scaled down: dense made-up problems of 340 variables and 60 constraints; no CUTEst, no LIBSVM, no discretised control.

Flops are charged by formula: in seconds a direct solve wins at these sizes. The saving grows with the size; here the
paper's method needs about a third of the flops. MINRES on the same systems, a known program here, needs a twelfth:
what is saved by not factoring well-conditioned systems is saved more so by Krylov methods; hence the generous
suspicious ratio.

Changed against the catalogue's sketch: n = 340 instead of 600 and an accuracy of 1e-7 instead of 1e-6 of the start, so
that projections row by row take a fraction of a second; both objectives have the first one's wavy constraints, since
on the sphere exact Newton steps did not converge; the merit's gradient leaves out second derivatives of the constraints
times the Lagrangian's gradient, for which there is no operation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ....evaluators import (
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
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..equality import Equality, logistic, quadratic

Array = np.ndarray[Any, Any]
ACCURACY = 1e-7
LARGEST = 1e9
UNIT = 1e6
FACTORISATIONS = 20
START = {"quadratic": (1.0, 30.0), "logistic": (1.0, 30.0)}
"""Distances of the starts from 0: near and far."""

STATEMENT = """
Solve nonlinear problems with equality constraints, min f(x) subject to c(x) = 0, for as little **arithmetic** as
possible. Matrices stay with the oracle, which charges every operation in millions of flops.

`solve(oracle, n, m, x0, lam0, target, budget)` returns `(x, lam)`, float64 (n,) and (m,), such that
|(grad f(x) + J(x)'lam, c(x))| <= `target`, J being the Jacobian of c. It may call, with N = n + m and arrays of the
lengths that follow from the names (z, products of K: (N,); x, v: (n,); lam, w: (m,)):

- `oracle.kkt(x, lam)`: (grad f + J'lam (n,), c (m,), f); 4 n N flops,
- `oracle.set_point(x, lam)`: fixes K = [[H, J'], [J, 0]] and rhs = -(grad f + J'lam, c) there, H the Hessian in x of
  f + lam'c; free; what follows refers to the point set last:
- `oracle.kaczmarz(z, rows)`: z after projections onto the equations `rows` (ints, at most 2 N) of K z = rhs, in that
  order; 4 N flops a row,
- `oracle.matvec(z)`: K z; 2 N^2 flops, `oracle.row_norms()`: Euclidean norms of K's rows, (N,); 2 N^2 flops,
- `oracle.direct()`: the solution of K z = rhs; 2 N^3 / 3 + 2 N^2 flops,
- `oracle.hess_vec(v)`: H v; 2 n^2, `oracle.jac_vec(v)`: J v and `oracle.jac_t_vec(w)`: J'w; 2 n m flops.

**Measured.** The sum of charges; geometric mean over the problems, smaller is better. The program's own arithmetic is
free but limited in time. `budget` (in the same unit) is about that of twenty direct solves.

**The problems.** Dense, with well-conditioned K: a quadratic with log cosh terms, and a logistic regression with ridge,
both under wavy constraints; f + lam'c need not be convex, and half of the starts are far away. n = 340, m = 60 at full
size.

**Rules.** A point that misses `target` is invalid. Entries of arguments are at most 10^9 in size. A call with other
arguments is refused with an exception, but charged; one that the rest of the budget does not cover is refused.
"""


@dataclass(frozen=True)
class Point:
    matrix: Array
    rhs: Array

    @cached_property
    def squares(self) -> Array:
        return (self.matrix**2).sum(axis=1)


class Operations(Oracle):
    methods = ("kkt", "set_point", "kaczmarz", "matvec", "row_norms", "direct", "hess_vec", "jac_vec", "jac_t_vec")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._problem: Equality = instance.secret
        self._n, self._m = instance.inputs["n"], instance.inputs["m"]
        self._point: Point | None = None

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        n, m, size = self._n, self._m, self._n + self._m
        rows = 1
        if method == "kaczmarz":
            with contextlib.suppress(OracleRefused):
                rows = max(len(self._rows(args)), 1)
        flops = {
            "kkt": 4 * n * size,
            "set_point": 0,
            "kaczmarz": 4 * size * rows,
            "matvec": 2 * size**2,
            "row_norms": 2 * size**2,
            "direct": 2 * size**3 / 3 + 2 * size**2,
            "hess_vec": 2 * n**2,
            "jac_vec": 2 * n * m,
            "jac_t_vec": 2 * n * m,
        }
        return flops[method] / UNIT

    def kkt(self, *args: Any) -> tuple[Array, Array, float]:
        return self._problem.slopes(*self._arrays(args, self._n, self._m))

    def set_point(self, *args: Any) -> None:
        self._point = Point(*self._problem.newton(*self._arrays(args, self._n, self._m)))

    def kaczmarz(self, *args: Any) -> Array:
        point, rows = self._at(), self._rows(args)
        (z,) = self._arrays(args[:1], self._n + self._m)
        for row in rows:
            line = point.matrix[row]
            z += (point.rhs[row] - line @ z) / point.squares[row] * line
        return z

    def _rows(self, args: tuple[Any, ...]) -> Array:
        size = self._n + self._m
        if len(args) != 2:
            raise OracleRefused("kaczmarz takes z and a list of rows")
        try:
            rows = as_array(args[1], shape=(None,), name="the list of rows", integer=True, low=0, high=size - 1)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if len(rows) > 2 * size:
            raise OracleRefused("kaczmarz takes at most 2 N rows")
        return rows

    def matvec(self, *args: Any) -> Array:
        return self._at().matrix @ self._arrays(args, self._n + self._m)[0]

    def row_norms(self, *args: Any) -> Array:
        self._arrays(args)
        return np.sqrt(self._at().squares)

    def direct(self, *args: Any) -> Array:
        self._arrays(args)
        point = self._at()
        try:
            return np.linalg.solve(point.matrix, point.rhs)
        except np.linalg.LinAlgError:
            raise OracleRefused("the matrix is singular there") from None

    def hess_vec(self, *args: Any) -> Array:
        return self._at().matrix[: self._n, : self._n] @ self._arrays(args, self._n)[0]

    def jac_vec(self, *args: Any) -> Array:
        return self._at().matrix[self._n :, : self._n] @ self._arrays(args, self._n)[0]

    def jac_t_vec(self, *args: Any) -> Array:
        return self._at().matrix[: self._n, self._n :] @ self._arrays(args, self._m)[0]

    def _at(self) -> Point:
        if self._point is None:
            raise OracleRefused("no point is set")
        return self._point

    @staticmethod
    def _arrays(args: tuple[Any, ...], *lengths: int) -> list[Array]:
        if len(args) != len(lengths):
            raise OracleRefused(f"this method takes {len(lengths)} arrays")
        try:
            return [
                as_array(value, shape=(length,), name="the argument", low=-LARGEST, high=LARGEST)
                for value, length in zip(args, lengths, strict=True)
            ]
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def residual(problem: Equality, x: Array, lam: Array) -> float:
    gradient, c, _ = problem.slopes(x, lam)
    return float(np.sqrt(gradient @ gradient + c @ c))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, m, copies = {"smoke": (340, 60, 1), "default": (340, 60, 2), "gpu": (3000, 300, 2)}[size]
    kinds: dict[str, Callable[[np.random.Generator, int, int], Equality]] = {
        "logistic": logistic,
        "quadratic": quadratic,
    }
    made = []
    for name, kind in list(kinds.items())[: 1 if size == "smoke" else 2]:
        for number in range(copies):
            problem = kind(rng, n, m)
            x0, lam0 = START[name][number] * rng.standard_normal(n) / np.sqrt(n), np.zeros(m)
            total = n + m
            inputs = {
                "n": n,
                "m": m,
                "x0": x0,
                "lam0": lam0,
                "target": ACCURACY * (1 + residual(problem, x0, lam0)),
                "budget": float(round(FACTORISATIONS * 2 * total**3 / 3 / UNIT)),
            }
            made.append(Instance(f"{name}-{number}", inputs, problem))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if not isinstance(output, tuple | list) or len(output) != 2:
        return Verdict.invalid("the output must be (x, lam)")
    inputs = instance.inputs
    x = as_array(output[0], shape=(inputs["n"],), name="x", low=-LARGEST, high=LARGEST)
    lam = as_array(output[1], shape=(inputs["m"],), name="lam", low=-LARGEST, high=LARGEST)
    found = residual(instance.secret, x, lam)
    if not found <= inputs["target"]:
        return Verdict.invalid(f"the residual is {found:.2g} and not at most {inputs['target']:.2g}")
    calls = log.calls if log else []
    spent = max(sum(call.cost for call in calls), 1e-12)
    return Verdict(
        valid=True,
        metrics={
            "points": float(max(sum(call.method == "set_point" for call in calls), 1)),
            "projected": sum(call.cost for call in calls if call.method == "kaczmarz") / spent,
            "direct": sum(call.cost for call in calls if call.method == "direct") / spent,
        },
    )


task = Task(
    id="sketched_newton_exact_al",
    family="second_order",
    title="Newton's method at a price per flop",
    paper=Paper("Constrained Optimization via Exact Augmented Lagrangian and Randomized Iterative Sketching", 2023),
    entry=Entry(
        "def solve(oracle: Oracle, n: int, m: int, x0: np.ndarray, lam0: np.ndarray, target: float, budget: float)"
        " -> tuple[np.ndarray, np.ndarray]",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("oracle_cost", Direction.MINIMIZE, "log", measure=Measure.ORACLE_COST, unit="Mflop"),
    descriptors=(
        Descriptor("points", 1.0, 100.0, bins=6, scale="log"),
        Descriptor("projected", 0.0, 1.0, bins=5),
        Descriptor("code_size", 60, 700, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Operations,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=50.0,
    claim=(
        "Newton's method with randomly sketched, adaptively accurate solves reaches the same accuracy for far fewer "
        "flops than exact solves; measured are the flops charged."
    ),
)
