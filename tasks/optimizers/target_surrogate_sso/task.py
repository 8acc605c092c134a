"""Training where the gradient in the model's outputs is what costs (Lavington et al. 2023, Target-based Surrogates for
Stochastic Optimization).

Where the loss is a simulator or a policy's return, its gradient in the model's outputs costs far more than the model.
The paper builds from one such gradient a surrogate in the outputs and takes many steps on it in the parameters.

Scaled down: 400 samples, linear models of 40 inputs and perceptrons of 32 units, 60 costly gradients; made-up losses,
one a response of a hidden linear system of two steps, instead of simulators and reinforcement learning.

Changed against the catalogue's sketch: 60 calls instead of 100, 400 samples and 40 inputs; each problem has one kind of
loss whose constants differ from sample to sample. Adam in the parameters, a known program here, comes to about two
thirds of the paper's gain at a rate chosen for these problems.
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
from ....evaluators.checks import as_array, distinct_indices
from ....sandbox import MIB, Limits
from .. import targets
from ..targets import Fitting

Array = np.ndarray[Any, Any]
LARGEST = 1e6
WORST_GAP = 1e3

STATEMENT = """
Train a **cheap** model on a loss that is **costly**: what is paid for is the derivative of the loss in the model's
outputs, not the model.

`train(oracle, A, theta0, model, N, batch, seed)` minimises the mean over samples i of l_i(z_i(theta)):

- `A` float64 (n, p): the inputs of all samples. `model` is "linear", z = A theta, or "mlp",
  z = tanh(A W + b) w + c, where theta (d,) concatenates W (p, 32) row by row, b (32,), w (32,) and the number c.
- `theta0` (d,): the start. `seed`: for random choices of the program's own.
- `oracle.grad_z(rows, z)`: for `batch` different samples, int (batch,), and outputs z float64 (batch,), whichever these
  are, the derivatives l_i'(z_i) (batch,); at most `N` calls (60 at full size). l_i'' is at most 1 in size.

Return theta (d,).

**Measured.** The relative gap (F(theta) - F*) / (F(theta0) - F*) of the loss F over all samples, F* being the lowest
value known, at most 1000; geometric mean over the problems (after adding 0.00001), smaller is better.

**The problems.** n = 400, p = 40, batch = 50 at full size. Columns of A have sizes over one and a half decades. The l_i
are hidden, of several kinds (robust, lopsided, labels, a response to a control) and differ from sample to sample.

**Rules.** Entries of arguments and of theta are at most 10^6 in size. A call with other arguments is refused with an
exception and uses up a call; so does every call beyond `N`, without an answer.
"""


class Slopes(Oracle):
    methods = ("grad_z",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["N"])
        self._batch = instance.inputs["batch"]
        self._fitting: Fitting = instance.secret

    def grad_z(self, *args: Any) -> Array:
        if len(args) != 2:
            raise OracleRefused("grad_z takes the samples and their outputs")
        try:
            below = len(self._fitting.inputs)
            rows = distinct_indices(args[0], count=self._batch, below=below, name="the list of samples")
            z = as_array(args[1], shape=(self._batch,), name="z", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return self._fitting.losses.slope(z, rows)


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, p, batch, calls = {"smoke": (200, 20, 40, 30), "default": (400, 40, 50, 60), "gpu": (20_000, 400, 500, 200)}[
        size
    ]
    plan = [
        ("huber-linear", "linear", targets.huber),
        ("lopsided-linear", "linear", targets.lopsided),
        ("labels-linear", "linear", targets.labels),
        ("imitation-linear", "linear", targets.imitation),
        ("huber-mlp", "mlp", targets.huber),
        ("imitation-mlp", "mlp", targets.imitation),
    ]
    made = []
    for name, model, kind in plan[:2] if size == "smoke" else plan:
        fitting = targets.fitting(rng, model, kind, n, p)
        inputs = {"A": fitting.inputs, "theta0": fitting.start, "model": model, "N": calls, "batch": batch}
        made.append(Instance(name, {**inputs, "seed": int(rng.integers(2**31))}, fitting))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    fitting: Fitting = instance.secret
    theta = as_array(output, shape=fitting.start.shape, name="theta", low=-LARGEST, high=LARGEST)
    gap = fitting.gap(theta)
    if np.isnan(gap):
        return Verdict.invalid("the loss has no value there")
    calls = log.calls if log else []
    samples = {int(row) for call in calls for row in np.asarray(call.args[0])}
    return Verdict(
        valid=True,
        metrics={
            "gap": min(max(gap, 0.0), WORST_GAP),
            "calls": len(calls) / instance.inputs["N"],
            "samples": len(samples) / len(fitting.inputs),
        },
    )


task = Task(
    id="target_surrogate_sso",
    family="optimizers",
    title="A cheap model under a costly loss",
    paper=Paper("Target-based Surrogates for Stochastic Optimization", 2023),
    entry=Entry(
        "def train(oracle: Oracle, A: np.ndarray, theta0: np.ndarray, model: str, N: int, batch: int, seed: int)"
        " -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-5),
    descriptors=(
        Descriptor("samples", 0.0, 1.0, bins=4),
        Descriptor("cpu_seconds", 0.005, 2.0, bins=8, scale="log"),
        Descriptor("code_size", 100, 800, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Slopes,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=100.0,
    claim=(
        "Many steps on a surrogate in the outputs for each costly gradient reach a far lower loss per gradient than "
        "steps in the parameters; measured is the gap at equal calls."
    ),
)
