"""Setting the parameter of a linear solver across a sequence of systems (Khodak et al. 2024, Learning to Relax).

Successive over-relaxation solves one shifted system after another; only its iteration counts are seen. The paper shows
that a bandit approaches the best fixed parameter, and that with the shift as context ChebCB approaches the best
parameter of each system.

Scaled down: 64 unknowns and 240 systems a stream; the paper's heat equation has thousands of both.

Changed against the catalogue's sketch: one call solves a system and tells the next shift; shifts spread over a factor
of 300, and the matrices are a rod, a plate, two blocks and a network, because with the sketch's plates alone one fixed
parameter (the best in hindsight) beat ChebCB; it is now the known program. ChebCB sees the logarithm of the shift.
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
from ....evaluators.checks import as_number
from ....sandbox import MIB, Limits
from ..workloads import network, plate, rod, shifts, two_blocks

Array = np.ndarray[Any, Any]
LOW, HIGH = 0.003, 1.0
TOLERANCE = 1e-8
MOST_ITERATIONS = 500
LEAST_OMEGA, LARGEST_OMEGA = 0.01, 1.99

STATEMENT = """
Set the parameter of an iterative solver for a sequence of linear systems, from its iteration counts alone.

The systems are (L + c_t I) x = b_t, t = 1 ... `systems`, with a hidden symmetric positive (semi)definite matrix L whose
mean diagonal is 1, shifts c_t and random right-hand sides. Each is solved from zero by successive over-relaxation (SOR)
with parameter omega until the residual has fallen by 1e-8, in at most 500 iterations.

`tune(oracle, shift, systems, low, high, seed)` receives the first shift and must call
`iterations, shift = oracle.solve(omega)` **exactly `systems` times**. Each call solves the current system with omega in
[0.01, 1.99] and replies with its number of iterations and the shift of the next system (None after the last one).
Nothing is returned. All shifts lie in [`low`, `high`] = [0.003, 1]; `seed` is for the program's own random choices.

**Measured.** The mean number of iterations a system, geometric mean over several streams; smaller is better. Streams
differ in their matrix (a heat-conducting rod, a plate, random weights between two blocks, a network) and in how shifts
follow one another (independent, slow waves, two regimes). Every call counts, from the first.

**Rules.** Another number of calls than `systems` is invalid. A call with an omega that is no number or out of range is
refused with an exception and solves nothing, but uses up a call.
"""


@dataclass(frozen=True)
class Stream:
    """``matrix`` (N, N) without shift, ``shifts`` (systems,), and the seed of the right-hand sides."""

    matrix: Array
    shifts: Array
    seed: int


class Solver(Oracle):
    methods = ("solve",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self._stream: Stream = instance.secret
        self._rng = np.random.default_rng(self._stream.seed)
        self.budget = float(len(self._stream.shifts))

    def solve(self, *args: Any) -> tuple[int, float | None]:
        if len(args) != 1:
            raise OracleRefused("solve takes one argument: omega")
        try:
            omega = as_number(args[0], name="omega", low=LEAST_OMEGA, high=LARGEST_OMEGA)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        stream, solved = self._stream, len(self.log.calls)
        matrix = stream.matrix + stream.shifts[solved] * np.eye(len(stream.matrix))
        iterations = sor_iterations(matrix, self._rng.standard_normal(len(matrix)), omega)
        following = float(stream.shifts[solved + 1]) if solved + 1 < len(stream.shifts) else None
        return iterations, following


def sor_iterations(A: Array, b: Array, omega: float) -> int:
    """Iterations of SOR from zero until the residual is ``TOLERANCE`` times b, at most ``MOST_ITERATIONS``.

    With M = D / omega + (strict lower part of A), an iteration maps the residual r to (I - A M^-1) r.
    """
    from scipy.linalg import solve_triangular

    identity = np.eye(len(A))
    M = np.tril(A, -1) + np.diag(np.diag(A) / omega)
    iteration = identity - A @ solve_triangular(M, identity, lower=True, check_finite=False)
    residual, enough = b, TOLERANCE**2 * (b @ b)
    for count in range(MOST_ITERATIONS):
        if residual @ residual <= enough:
            return count
        residual = iteration @ residual
    return MOST_ITERATIONS


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    systems, side = {"smoke": (30, 5), "default": (240, 8), "gpu": (1000, 16)}[size]
    streams = (
        ("plate", plate(rng, side), "independent"),
        ("rod", rod(rng, side**2), "drift"),
        ("two blocks", two_blocks(rng, side**2), "regimes"),
        ("network", network(rng, side**2), "independent"),
    )
    made = []
    for name, matrix, kind in streams[:1] if size == "smoke" else streams:
        sequence = shifts(rng, kind, systems, LOW, HIGH)
        seed, own = rng.integers(0, 2**31, 2).tolist()
        inputs = {"shift": float(sequence[0]), "systems": systems, "low": LOW, "high": HIGH, "seed": own}
        made.append(Instance(name, inputs, Stream(matrix, sequence, seed)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    systems = instance.inputs["systems"]
    if log is None or len(log.calls) != systems:
        return Verdict.invalid(f"solve must be called, with a valid omega, exactly {systems} times")
    iterations = np.array([call.reply[0] for call in log.calls], dtype=np.float64)
    omegas = {round(float(call.args[0]), 3) for call in log.calls}
    return Verdict(
        valid=True,
        metrics={
            "iterations": float(iterations.mean()),
            "late_share": float(iterations[-(systems // 4) :].sum() / iterations.sum()),
            "distinct_omegas": float(len(omegas)),
        },
    )


task = Task(
    id="learning_to_relax_sor",
    family="linear_systems",
    title="Setting a solver's parameter online",
    paper=Paper("Learning to Relax: Setting Solver Parameters Across a Sequence of Linear System Instances", 2024),
    entry=Entry("def tune(oracle: Oracle, shift: float, systems: int, low: float, high: float, seed: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("iterations", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("distinct_omegas", 1.0, 240.0, bins=8, scale="log"),
        Descriptor("late_share", 0.1, 0.3, bins=6),
        Descriptor("code_size", 30, 400, bins=8, scale="log"),
    ),
    style="oracle",
    kind="both",
    oracle=Solver,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "From iteration counts alone a contextual bandit approaches the best parameter of each system; measured here "
        "are its iterations against Gauss-Seidel, of which one good fixed parameter saves the greater part."
    ),
)
