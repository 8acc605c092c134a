"""Global training of nets of one hidden layer (Bai, Gautam and Sojoudi 2023).

With weight decay the training problem of a two-layer ReLU net equals a convex program, a group lasso with a cone for
each pattern of active samples. The paper solves it by ADMM, at a cost per iteration quadratic in the data once a
system is factored, where gradient descent on the weights ends in poor stationary points.

Scaled down: 50 samples of one or two variables and a bias, at most 100 patterns; nothing of adversarial training.

What reproduces: with one variable, where all patterns are listed, the loss is within some per cent of a certified lower
bound for nets of any size, and a fifth to four fifths of Adam's. With two variables, of whose patterns a sample is
taken, it is a quarter to three fifths of Adam's at the small penalty, and about level with it on the chessboard at the
large one. What it comes from: in part convergence alone, since L-BFGS on the weights, a known program, takes three
quarters of the gain, and Adam with four times the steps at two or three times the rate all of it, in five times the
reference's CPU time. Hence the limit of twice the baseline's. In the sketch's trials with five columns and 100 patterns
Adam won.

Changed against the catalogue's sketch: losses are compared with each other and not with the convex program's, which
cancels from ratios and would be solved anew for each draw; no data in three variables; 200 units and 2,000 steps of
Adam instead of 400 and 2,500, and twice the latter's CPU time instead of 5 s; a penalty of ADMM of 0.3 sqrt(beta)
instead of 0.3, with which half the iterations do more.
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
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..relu_nets import board, penalised, planted, steps

Array = np.ndarray[Any, Any]
LARGEST = 1e4

STATEMENT = """
Train nets with one hidden layer to as low a penalised loss as possible.

`train(X, y, beta, max_units, seed)` receives `X` float64 (n, d), whose last column is ones, and targets `y` (n,).
Return `(W, a)`, W (d, m) and a (m,), with 1 <= m <= `max_units` units: the net is f(x) = sum_j a_j max(w_j' x, 0)
with w_j the columns of W. `seed` is an integer for the program's own random choices.

**Measured.** P = |f(X) - y|^2 / 2 + `beta` (|W|^2 + |a|^2) / 2, over that of a net of zeros; geometric mean over the
data sets, smaller is better.

**The data.** Noisy square waves of one variable, nets of six units and signs on a chessboard, both of two variables;
`beta` is 0.01 or 0.001. At full size n is 50 and `max_units` 200.

**Rules.** Entries are at most 10^4 in size. A data set may take twice the CPU time of 2,000 steps of Adam with all data
and half the units. Every run is a fresh process on fresh data; only numpy, scipy.linalg and scipy.optimize may be
imported.
"""

KINDS = {"steps": steps, "planted": planted, "board": board}


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, max_units, plan = {
        "smoke": (20, 80, [("steps", 1e-3), ("planted", 1e-3)]),
        "default": (50, 200, [(kind, beta) for kind in KINDS for beta in (1e-2, 1e-3)]),
        "gpu": (400, 2000, [(kind, beta) for kind in KINDS for beta in (1e-2, 1e-3)]),
    }[size]
    made = []
    for kind, beta in plan:
        X, y = KINDS[kind](rng, n)
        inputs = {"X": X, "y": y, "beta": beta, "max_units": max_units, "seed": int(rng.integers(2**31))}
        made.append(Instance(f"{kind}-{beta:g}", inputs))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    X, y, beta, most = (instance.inputs[name] for name in ("X", "y", "beta", "max_units"))
    if not isinstance(output, tuple | list) or len(output) != 2:
        return Verdict.invalid("the output must be a pair (W, a)")
    W = as_array(output[0], shape=(X.shape[1], None), name="W", low=-LARGEST, high=LARGEST)
    units = W.shape[1]
    if not 1 <= units <= most:
        return Verdict.invalid(f"{units} units; 1 to {most} are allowed")
    a = as_array(output[1], shape=(units,), name="a", low=-LARGEST, high=LARGEST)
    return Verdict(
        valid=True,
        metrics={
            "loss": penalised(X, y, beta, W, a) / (y @ y / 2),
            "units": float(units),
            "patterns": float(np.unique(X @ W > 0, axis=1).shape[1]),
        },
    )


task = Task(
    id="convex_two_layer_relu_admm",
    family="second_order",
    title="The global optimum of a small net",
    paper=Paper(
        "Efficient Global Optimization of Two-layer ReLU Networks: Quadratic-time Algorithms and Adversarial Training",
        2023,
    ),
    entry=Entry(
        "def train(X: np.ndarray, y: np.ndarray, beta: float, max_units: int, seed: int) "
        "-> tuple[np.ndarray, np.ndarray]"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("loss", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("units", 1.0, 200.0, bins=8, scale="log"),
        Descriptor("patterns", 1.0, 200.0, bins=8, scale="log"),
        Descriptor("code_size", 100, 800, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_bytes=512 * MIB),
        cpu_times_baseline=2.0,
        imports=("numpy", "scipy.linalg", "scipy.optimize"),
    ),
    suspicious_ratio=100.0,
    claim=(
        "ADMM on the convex form finds the global optimum of a regularised two-layer ReLU net, where gradient descent "
        "stays in poor stationary points; measured is the penalised loss against Adam's."
    ),
)
