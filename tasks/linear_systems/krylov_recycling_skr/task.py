"""Solving a family of related linear systems with few products (Wang et al. 2024, Krylov subspace recycling, SKR).

To make training data for neural operators, many systems with similar matrices are solved. The paper sorts them so that
neighbours are alike and carries a Krylov subspace from one to the next (GCRO-DR).

Scaled down: ten systems of 400 unknowns, without preconditioner; the effect of sorting is smaller than with
thousands of systems.

Changed against the catalogue's sketch: cycles of 30 instead of 40 and a 20 x 20 grid; the parameters are told after a
secret rotation, since with the fields a program could build the nominal matrix and solve it directly; and every family
has convection, so that conjugate gradients do not apply. Products alone are charged, so GMRES that never restarts is
strong: it is the known program, and comes level with SKR at these cycles of 30.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from ....evaluators.checks import as_array, as_number
from ....sandbox import MIB, Limits
from ..workloads import convection_diffusion, diffusion_field, diffusion_parameters

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-6
SLACK = 1.05
BUDGET = 4000.0
WIDTH = 8
VELOCITIES = (0.5, 2.0)

STATEMENT = """
Solve a family of related linear systems with as few matrix-vector products as possible.

`solve_family(oracle, params, B, tolerance)` receives

- `params` float64 (S, p): parameters of the systems; matrices with close parameters are alike;
- `B` float64 (S, N): one right-hand side a system;
- `tolerance`: the relative residual to reach, 1e-6.

`oracle.apply(i, v)` returns A_i v, float64 (N,), for system i and a vector v (N,). The matrices are sparse, nonsingular
and not symmetric, discretise a convection-diffusion problem with a smooth random coefficient, and are known by this
oracle only. Return X float64 (S, N) with |B_i - A_i X_i| <= 1.05 `tolerance` |B_i| for every system.

**Measured.** The number of calls of `apply` for the whole family, geometric mean over the families; fewer is better. In
one family the parameters are independent, in the other they lie on a closed loop, in random order. S is 10 and N 400.

**Rules.** A residual above the bound is invalid. After 4000 calls, and for malformed ones, `apply` raises an exception.
"""


class Products(Oracle):
    methods = ("apply",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = BUDGET
        self._matrices = instance.secret

    def apply(self, *args: Any) -> Array:
        if len(args) != 2:
            raise OracleRefused("apply takes two arguments: the number of a system and a vector")
        try:
            number = as_number(args[0], name="i", low=0, high=len(self._matrices) - 1)
            vector = as_array(args[1], shape=(self._matrices[0].shape[0],), name="v", low=-1e100, high=1e100)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if number != int(number):
            raise OracleRefused("i must be an integer")
        return self._matrices[int(number)] @ vector


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    systems, side = {"smoke": (6, 14), "default": (10, 20), "gpu": (64, 64)}[size]
    made = []
    for kind in ("independent",) if size == "smoke" else ("independent", "loop"):
        parameters = diffusion_parameters(rng, kind, systems, WIDTH)
        velocity = rng.uniform(*VELOCITIES, 2)
        matrices = [convection_diffusion(diffusion_field(row, side), velocity) for row in parameters]
        rotation = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0]
        inputs = {
            "params": parameters @ rotation,
            "B": rng.normal(size=(systems, side**2)),
            "tolerance": TOLERANCE,
        }
        made.append(Instance(kind, inputs, matrices))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    B = instance.inputs["B"]
    X = as_array(output, shape=B.shape, name="X", low=-1e100, high=1e100)
    images = np.array([matrix @ x for matrix, x in zip(instance.secret, X, strict=True)])
    residuals = np.linalg.norm(B - images, axis=1) / np.linalg.norm(B, axis=1)
    worst = int(residuals.argmax())
    if log is None or not residuals[worst] <= SLACK * TOLERANCE:
        return Verdict.invalid(f"the relative residual of system {worst} is {residuals[worst]:.2g}, above the bound")
    calls = np.bincount([int(call.args[0]) for call in log.calls], minlength=len(B))
    return Verdict(
        valid=True,
        metrics={"products": float(calls.sum()), "unevenness": float(calls.max() / max(calls.mean(), 1.0))},
    )


task = Task(
    id="krylov_recycling_skr",
    family="linear_systems",
    title="Related linear systems with few products",
    paper=Paper("Accelerating Data Generation for Neural Operators via Krylov Subspace Recycling", 2024),
    entry=Entry("def solve_family(oracle: Oracle, params: np.ndarray, B: np.ndarray, tolerance: float) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("products", Direction.MINIMIZE, "log", Measure.ORACLE_COST),
    descriptors=(
        Descriptor("unevenness", 1.0, 3.0, bins=6),
        Descriptor("cpu_seconds", 0.05, 5.0, bins=8, scale="log"),
        Descriptor("code_size", 150, 1500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Products,
    limits=TaskLimits(run=Limits(cpu_seconds=3.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Sorting similar systems and recycling Krylov subspaces between them speeds data generation up to 13.9 times; "
        "measured here are products against restarted GMRES; GMRES without restart comes level."
    ),
)
