"""Products with the inverse of a windowed Fisher matrix (Frantar, Kurtic and Alistarh 2021, M-FAC).

Each step a new gradient enters the window of the last m, the oldest leaves, and the new one is multiplied by the
inverse of the damped mean of outer products. The paper does so in O(d m + m^3) a step, matrix-free, where starting
anew costs O(d m^2).

Scaled down: d = 6,000 to 9,000 instead of ten million, synthetic gradients; training and pruning, which the products
serve, are not measured. Process and exchanges included, the reference takes a quarter of the baseline's CPU time.

Changed against the catalogue's sketch: smaller windows and shorter streams, so that a program takes a fraction of a
second on each; the least damping is 1e-5, since at 1e-6 a solve from the Gram matrix in float64 leaves residuals of
about the tolerance.
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
    input_bytes,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import drifting_gradients, residual

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-6

STATEMENT = """
Multiply gradients by the inverse of a curvature matrix that follows them, **fast**.

Before step t = 1, ..., T a window holds the last m gradients. In step t the gradient g_t (d,) enters it, the oldest one
leaves, and

F_t = `damp` I + (1/`m`) (sum over the window of g g^T), a matrix (d, d).

`precondition_stream(oracle, d, m, damp, T, G0)` gets the first window `G0` float64 (m, d), oldest row first. It calls
`g = oracle.exchange(None)` for g_1, then for each t `g = oracle.exchange(u)` with u = F_t^{-1} g_t, float64 (d,), for
the next gradient; the reply to the last u is None. Return T.

**Measured.** CPU seconds of the whole call, exchanges included; geometric mean over several streams, smaller is better.

**Rules.** At every step |F_t u - g_t| <= 1e-6 |g_t|, computed on the trusted side in float64; otherwise the program is
invalid. Gradients come one by one: the next is told only for the answer to the last. d is 6,000 to 9,000, m 64 to 96
and T 60 at full size; `damp` may be as small as 1e-5, and some windows hold nearly equal gradients. One thread.
"""


@dataclass(frozen=True)
class Stream:
    """``gradients`` (m + T, d): the first window and what follows it."""

    gradients: Array


@dataclass(slots=True)
class ServedLog(CallLog):
    """Also how many answers were accepted, and the largest residual among them."""

    served: int = 0
    worst: float = 0.0


class Exchange(Oracle):
    methods = ("exchange",)

    def __init__(self, instance: Instance) -> None:
        self.log: ServedLog = ServedLog()
        inputs = instance.inputs
        self._m, self._damp, self._steps = inputs["m"], inputs["damp"], inputs["T"]
        self.budget = float(self._steps + 1)
        self._gradients: Array = instance.secret.gradients
        self._told = 0

    def exchange(self, *args: Any) -> Array | None:
        if len(args) != 1:
            raise OracleRefused("exchange takes one argument: None at first, then u")
        if self._told:
            self._accept(args[0])
        elif args[0] is not None:
            raise OracleRefused("the first exchange takes None")
        if self._told == self._steps:
            return None
        self._told += 1
        return self._gradients[self._m + self._told - 1]

    def _accept(self, answer: Any) -> None:
        window = self._gradients[self._told : self._told + self._m]
        try:
            u = as_array(answer, shape=(window.shape[1],), name="u")
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        error = residual(window, self._damp, u, window[-1])
        if not error <= TOLERANCE:
            raise OracleRefused(f"F u differs from g by {error:.2g} |g|, more than 1e-6 |g|")
        self.log.served += 1
        self.log.worst = max(self.log.worst, error)


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    plan = {
        "smoke": [(4000, 96, 16, 1e-4, False), (4000, 96, 16, 1e-5, True)],
        "default": [(6000, 96, 60, 1e-4, False), (6000, 96, 60, 1e-4, True), (9000, 64, 60, 1e-5, False)],
        "gpu": [(200_000, 128, 60, 1e-4, False)],
    }[size]
    return [stream(rng, f"stream-{number}", *sizes) for number, sizes in enumerate(plan, 1)]


def stream(rng: np.random.Generator, name: str, d: int, m: int, steps: int, damp: float, repeated: bool) -> Instance:
    gradients = drifting_gradients(rng, m + steps, d, repeated)
    return Instance(name, {"d": d, "m": m, "damp": damp, "T": steps, "G0": gradients[:m].copy()}, Stream(gradients))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    steps = instance.inputs["T"]
    if not isinstance(log, ServedLog) or log.served != steps:
        return Verdict.invalid(f"all {steps} gradients must be answered")
    if as_array(output, shape=(), name="the output", integer=True) != steps:
        return Verdict.invalid("the output must be the number of steps, T")
    return Verdict(valid=True, metrics={"digits": float(-np.log10(max(log.worst, 1e-16)))})


task = Task(
    id="mfac_window_ihvp",
    family="second_order",
    title="Inverse curvature of a window",
    paper=Paper("M-FAC: Efficient Matrix-Free Approximations of Second-Order Information", 2021),
    entry=Entry(
        "def precondition_stream(oracle: Oracle, d: int, m: int, damp: float, T: int, G0: np.ndarray) -> int",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", measure=Measure.CPU_SECONDS, unit="s"),
    descriptors=(
        Descriptor("digits", 6.0, 14.0, bins=8),
        Descriptor("peak_memory", 30 * MIB, 200 * MIB, bins=6, scale="log"),
        Descriptor("code_size", 40, 400, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Exchange,
    limits=TaskLimits(
        run=Limits(cpu_seconds=5.0, wall_seconds=60.0, memory_bytes=1024 * MIB),
        imports=("numpy", "scipy.linalg"),
    ),
    bytes=input_bytes,
    claim=(
        "Inverse-Hessian-vector products over a window in O(dm + m^3) instead of O(dm^2) a step; measured is the CPU "
        "time of a stream at a residual of 1e-6."
    ),
)
