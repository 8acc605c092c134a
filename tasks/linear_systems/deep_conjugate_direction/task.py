"""Solving Poisson problems on new geometries with learned directions (Kaneda et al. 2023, deep conjugate directions).

A network proposes directions from residuals, conjugation and an exact step make a convergent method of them. It is
trained without solutions, on other geometries, and needs a fraction of the steps of conjugate gradients.

Scaled down: 48 x 48 cells in two dimensions instead of 256^3 in three; a linear network of 8 channels that is trained
in a second or two of the program's own time.

Changed against the catalogue's sketch: two families of four systems, no instance at the looser tolerance. Right-hand
sides are white noise: on smooth ones, with energy in the six lowest waves only, this small network may stagnate and so
never reach the tolerance. On a square a fast Poisson solver, which knows neither discs nor coefficients, is a good
preconditioner and needs no training: it is the known program, and where it exists it is the better choice.
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
from ..workloads import diffusion_on_mask, discs

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-6
SLACK = 1.05
BUDGET = 3000.0
TRAINING_MASKS = 48

STATEMENT = """
Solve diffusion problems on new geometries with few applications of the operator.

`solve_all(oracle, train_masks, test_masks, B, tolerance, seed)` receives

- `test_masks` float64 (S, n, n): where each system's square has fluid (1) and where solid discs (0);
- `B` float64 (S, n, n): right-hand sides, zero outside the fluid;
- `tolerance`: the relative residual to reach, 1e-6; `seed`: for the program's own random choices;
- `train_masks` float64 (T, n, n): other geometries of the same kind.

`oracle.apply(i, x)` returns A_i x, float64 (n, n), for system i and an array x (n, n). A_i is symmetric positive
definite on the fluid cells: five-point finite differences of -div(c grad u) with u = 0 on the solid and beyond the
square, where the conductivity c is smooth, lies between 0.7 and 1.4, differs between the systems and is known by this
oracle only. What x holds outside the fluid is ignored.

Return X float64 (S, n, n) with |B_i - A_i X_i| <= 1.05 `tolerance` |B_i| for every system.

**Measured.** The number of calls of `apply` for all systems, geometric mean over two families; fewer is better.
Right-hand sides are white noise. n is 48 and S 4 at full size.

**Rules.** A residual above the bound is invalid. After 3000 calls, and for malformed ones, `apply` raises an exception.
CPU time is limited to 8 seconds, in which a small network of torch can be trained; numpy and torch may be used.
"""


class Operators(Oracle):
    methods = ("apply",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = BUDGET
        self._masks: Array = instance.inputs["test_masks"]
        self._conductivities: Array = instance.secret

    def apply(self, *args: Any) -> Array:
        if len(args) != 2:
            raise OracleRefused("apply takes two arguments: the number of a system and an array")
        try:
            number = as_number(args[0], name="i", low=0, high=len(self._masks) - 1)
            x = as_array(args[1], shape=self._masks.shape[1:], name="x", low=-1e100, high=1e100)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if number != int(number):
            raise OracleRefused("i must be an integer")
        return diffusion_on_mask(x, self._masks[int(number)], self._conductivities[int(number)])


def conductivity(rng: np.random.Generator, side: int) -> Array:
    """Smooth values (side, side) that span 0.7 to 1.4: a random cosine series of degree up to 4."""
    waves = np.cos(np.pi * np.outer(np.arange(5), np.linspace(0, 1, side)))
    weights = rng.standard_normal((5, 5)) / (1 + np.add.outer(np.arange(5), np.arange(5)))
    field = waves.T @ weights @ waves
    return 0.7 + 0.7 * (field - field.min()) / (field.max() - field.min())


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    side, systems, copies = {"smoke": (16, 1, 1), "default": (48, 4, 2), "gpu": (256, 8, 2)}[size]
    made = []
    for copy in range(copies):
        masks = discs(rng, systems, side)
        B = rng.standard_normal((systems, side, side))
        inputs = {
            "train_masks": discs(rng, TRAINING_MASKS, side),
            "test_masks": masks,
            "B": B * masks,
            "tolerance": TOLERANCE,
            "seed": int(rng.integers(2**31)),
        }
        made.append(
            Instance(f"rough of draw {copy}", inputs, np.array([conductivity(rng, side) for _ in range(systems)]))
        )
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    B, masks = instance.inputs["B"], instance.inputs["test_masks"]
    X = as_array(output, shape=B.shape, name="X", low=-1e100, high=1e100)
    images = [diffusion_on_mask(x, mask, c) for x, mask, c in zip(X, masks, instance.secret, strict=True)]
    residuals = np.linalg.norm(B - images, axis=(1, 2)) / np.linalg.norm(B, axis=(1, 2))
    worst = int(residuals.argmax())
    if log is None or not residuals[worst] <= SLACK * TOLERANCE:
        return Verdict.invalid(f"the relative residual of system {worst} is {residuals[worst]:.2g}, above the bound")
    calls = np.bincount([int(call.args[0]) for call in log.calls], minlength=len(B))
    return Verdict(
        valid=True,
        metrics={"applications": float(calls.sum()), "unevenness": float(calls.max() / max(calls.mean(), 1.0))},
    )


task = Task(
    id="deep_conjugate_direction",
    family="linear_systems",
    title="Learned directions for Poisson problems",
    paper=Paper("A Deep Conjugate Direction Method for Iteratively Solving Linear Systems", 2023),
    entry=Entry(
        "def solve_all(oracle: Oracle, train_masks: np.ndarray, test_masks: np.ndarray, B: np.ndarray, "
        "tolerance: float, seed: int) -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("applications", Direction.MINIMIZE, "log", Measure.ORACLE_COST),
    descriptors=(
        Descriptor("unevenness", 1.0, 2.0, bins=6),
        Descriptor("cpu_seconds", 0.05, 8.0, bins=8, scale="log"),
        Descriptor("code_size", 100, 1000, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Operators,
    limits=TaskLimits(
        run=Limits(cpu_seconds=8.0, wall_seconds=120.0, memory_bytes=2048 * MIB), imports=("numpy", "torch")
    ),
    claim=(
        "Learned directions need a few steps where conjugate gradients need many, on new geometries as well; measured "
        "here are applications of the operator."
    ),
)
