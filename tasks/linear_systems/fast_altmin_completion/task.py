"""Completing a low-rank matrix with little work on its entries (Gu, Song, Yin and Zhang 2023).

Alternating minimisation tolerates half-steps that are solved roughly. Rough ones need work in proportion to the number
of entries times the rank k, where exact ones need k times as much.

Scaled down: matrices of 400 x 300 to 400 x 400, ranks 10 to 30. Conjugate gradients from the current factor take the
place of the paper's sketched solver. Work is counted and not clocked: with numpy's fast dense solver the exact method
is quicker in seconds at these ranks.

Changed against the catalogue's sketch: factors stay on the trusted side under names, and a program sees products of
their rows only. With operators on free matrices, as sketched, n / k questions with unit vectors read all entries, which
is cheaper than any method here. The noisy matrix is left out, and too large an error is invalid instead of costly.
Scaled gradient descent is the known program.
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
from ..workloads import sampled_low_rank

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-6
OVERSAMPLING = 4.0
BUDGET = 3000.0
MOST_NAMES = 16
LARGEST = 1e12

STATEMENT = """
Complete a matrix of rank k from some of its entries, with little work on those entries.

The matrix M (m, n) is known at a random share `density` of its places. A program never sees numbers of M or of the
factors; it works with named matrices that stay with the oracle. Those with m rows and those with n rows all have k
columns. At first there are "U" (m, k) and "V" (n, k), whose product U V' is a rough estimate of M; any other names can
be made, up to 16 in all.

`complete(oracle, m, n, k, density, tolerance)` may call the following. Let P keep the known places of a matrix and put
zeros elsewhere; costs are in units of (number of known entries) x k operations.

- `oracle.observe(name, q)`: makes `name` = P(M) Q, or P(M)' Q where q has m rows; 1 unit.
- `oracle.apply(name, x, q)`: makes `name` = P(X Q') Q, or P(Q X')' Q where q has m rows; x and q differ in their
  numbers of rows; 2 units.
- `oracle.solve(name, b, q)`: makes `name` whose row i solves G_i y = (row i of b), where G_i is the sum of v v' over
  the rows v of q at the known places of row (or column) i; b and q differ in their numbers of rows; k units.
- `oracle.combine(name, a, x, b, y)`: makes `name` = a x + b y, where a and b are numbers or one number a row; free.
- `oracle.dot(x, y)`: the products of the rows of x with those of y, float64 (rows,); free.
- `oracle.orthonormalise(q, x)`: gives q orthonormal columns and changes x so that X Q' stays as it is; free.

A made matrix replaces one of the same name. Nothing is returned: what counts are "U" and "V" at the end.

**Validity.** |U V' - M| <= `tolerance` |M| in the Frobenius norm over all places, known or not; `tolerance` is 1e-6.

**Measured.** Units spent, geometric mean over the matrices; fewer is better. k is 10, 20 or 30; m and n
lie between 300 and 400 and differ.

**Rules.** Calls beyond 3000 units and malformed ones are refused with an exception.
"""


@dataclass(frozen=True)
class Hidden:
    matrix: Array
    mask: Array


@dataclass(slots=True)
class Bench(CallLog):
    """Also the named matrices."""

    named: dict[str, Array] = field(default_factory=dict)


class Entries(Oracle):
    methods = ("observe", "apply", "solve", "combine", "dot", "orthonormalise")

    def __init__(self, instance: Instance) -> None:
        self.log: Bench = Bench()
        self.budget = BUDGET
        self._rank: int = instance.inputs["k"]
        self._mask: Array = instance.secret.mask
        self._known = instance.secret.matrix * self._mask
        left, values, right = np.linalg.svd(self._known / instance.inputs["density"], full_matrices=False)
        root = np.sqrt(values[: self._rank])
        self.log.named = {"U": left[:, : self._rank] * root, "V": right[: self._rank].T * root}

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return {"observe": 1.0, "apply": 2.0, "solve": float(self._rank)}.get(method, 0.0)

    def observe(self, *args: Any) -> None:
        name, q = self._arguments(args, 2)
        Q = self._get(q)
        self._put(name, (self._known if self._is_right(Q) else self._known.T) @ Q)

    def apply(self, *args: Any) -> None:
        name, x, q = self._arguments(args, 3)
        X, Q = self._opposite(x, q)
        mask = self._mask if self._is_right(Q) else self._mask.T
        self._put(name, (mask * (X @ Q.T)) @ Q)

    def solve(self, *args: Any) -> None:
        name, b, q = self._arguments(args, 3)
        B, Q = self._opposite(b, q)
        mask = self._mask if self._is_right(Q) else self._mask.T
        grams = (mask @ (Q[:, :, None] * Q[:, None, :]).reshape(len(Q), -1)).reshape(-1, self._rank, self._rank)
        try:
            self._put(name, np.linalg.solve(grams, B[:, :, None])[:, :, 0])
        except np.linalg.LinAlgError:
            raise OracleRefused("a row's equations are singular") from None

    def combine(self, *args: Any) -> None:
        name, a, x, b, y = self._arguments(args, 5)
        X, Y = self._get(x), self._get(y)
        if X.shape != Y.shape:
            raise OracleRefused("the two matrices differ in their numbers of rows")
        self._put(name, self._weights(a, len(X)) * X + self._weights(b, len(X)) * Y)

    def dot(self, *args: Any) -> Array:
        x, y = self._arguments(args, 2)
        X, Y = self._get(x), self._get(y)
        if X.shape != Y.shape:
            raise OracleRefused("the two matrices differ in their numbers of rows")
        return (X * Y).sum(axis=1)

    def orthonormalise(self, *args: Any) -> None:
        q, x = self._arguments(args, 2)
        X, Q = self._opposite(x, q)
        basis, triangle = np.linalg.qr(Q)
        self._put(q, basis)
        self._put(x, X @ triangle.T)

    def _is_right(self, matrix: Array) -> bool:
        """Whether a matrix has a row for each column of M; m and n differ in every instance."""
        return len(matrix) == self._mask.shape[1]

    def _arguments(self, args: tuple[Any, ...], count: int) -> tuple[Any, ...]:
        if len(args) != count:
            raise OracleRefused(f"this method takes {count} arguments")
        return args

    def _get(self, name: Any) -> Array:
        if not isinstance(name, str) or name not in self.log.named:
            raise OracleRefused("there is no matrix of that name")
        return self.log.named[name]

    def _opposite(self, x: Any, q: Any) -> tuple[Array, Array]:
        X, Q = self._get(x), self._get(q)
        if X.shape == Q.shape:
            raise OracleRefused("one matrix must have m rows and the other n")
        return X, Q

    def _put(self, name: Any, matrix: Array) -> None:
        if not isinstance(name, str) or len(name) > 20:
            raise OracleRefused("a name is a text of at most 20 characters")
        if name not in self.log.named and len(self.log.named) >= MOST_NAMES:
            raise OracleRefused(f"there are {MOST_NAMES} matrices already")
        if not np.abs(matrix).max() <= LARGEST:
            raise OracleRefused("the matrix has entries that are too large")
        self.log.named[name] = matrix

    def _weights(self, weights: Any, rows: int) -> Array:
        shape = () if isinstance(weights, int | float | np.number) else (rows,)
        try:
            checked = as_array(weights, shape=shape, name="a coefficient", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return checked[:, None] if checked.ndim else checked


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    shapes, copies = {
        "smoke": (((110, 100, 8),), 1),
        "default": (((400, 300, 10), (400, 310, 20), (390, 400, 30)), 2),
        "gpu": (((2000, 1500, 20), (2000, 1600, 40)), 2),
    }[size]
    made = []
    for m, n, k in shapes:
        for copy in range(copies):
            matrix, mask = sampled_low_rank(rng, m, n, k, OVERSAMPLING)
            inputs = {"m": m, "n": n, "k": k, "density": float(mask.mean()), "tolerance": TOLERANCE}
            made.append(Instance(f"rank {k} of draw {copy}", inputs, Hidden(matrix, mask)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if not isinstance(log, Bench):
        return Verdict.invalid("the oracle was not used")
    m, n, k = (instance.inputs[name] for name in "mnk")
    U, V = log.named["U"], log.named["V"]
    if U.shape != (m, k) or V.shape != (n, k):
        return Verdict.invalid("U must have m rows and V n rows at the end")
    error = float(np.linalg.norm(U @ V.T - instance.secret.matrix))
    if not error <= TOLERANCE:
        return Verdict.invalid(f"the relative error is {error:.2g}, above {TOLERANCE:g}")
    used = [call.method for call in log.calls]
    return Verdict(
        valid=True,
        metrics={
            "units": log.spent,
            "observations": float(used.count("observe")),
            "applications": used.count("apply") / max(used.count("observe"), 1),
        },
    )


task = Task(
    id="fast_altmin_completion",
    family="linear_systems",
    title="Completing a low-rank matrix",
    paper=Paper("Low Rank Matrix Completion via Robust Alternating Minimization in Nearly Linear Time", 2023),
    entry=Entry("def complete(oracle: Oracle, m: int, n: int, k: int, density: float, tolerance: float) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("units", Direction.MINIMIZE, "log", Measure.ORACLE_COST),
    descriptors=(
        Descriptor("observations", 5, 200, bins=8, scale="log"),
        Descriptor("applications", 0.0, 5.0, bins=6),
        Descriptor("code_size", 50, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Entries,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Half-steps that are solved roughly bring the time from |Omega| k^2 to nearly |Omega| k at the same samples; "
        "measured here is the work on known entries."
    ),
)
