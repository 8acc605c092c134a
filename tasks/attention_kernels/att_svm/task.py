"""Where the training of attention ends (Tarzanagh, Li, Thrampoulidis and Oymak 2023, Transformers as SVMs).

Gradient descent on the weights of one attention layer never ends: they grow, and only their direction converges. The
paper shows that it converges to that of a support vector machine, which can be solved without training.

Scaled down: 6 or 10 texts of eight tokens in 16 dimensions, about as in the paper's own experiments; what is to be
predicted is the direction after 12,000 steps.

Changed against the catalogue's sketch: the oracle tells the gradient's direction only, computed without cancellation on
the trusted side, 600 times. All four instances are trained together for the truth. Steps that grow geometrically, a
known program, go as far as the long training and come within a factor of ten of the machine's error where it has found
the right tokens; where some change after 600 steps they are far ahead.
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
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import AttentionErm, attention_erm

Array = np.ndarray[Any, Any]
STEP = 0.1
LEAST_MISS = 1e-5
LARGEST = 1e6

STATEMENT = """
Predict where the training of an attention layer ends, from a short part of it.

There are n texts of T tokens x_it (unit vectors in d dimensions), each with a query z_i, its first token. The layer's
output is f_i(W) = y_i v' sum_t p_it x_it with p_i = softmax over t of x_it' W z_i; the loss is the mean of
log(1 + exp(-f_i)). Labels y_i and the head v are hidden. Training starts at W = 0 and takes 12,000 steps of length 0.1
against the gradient's direction; W grows all the time.

`predict(oracle, X, z, calls)` receives `X` float64 (n, T, d) and `z` float64 (n, d) and returns the direction of W at
the end of training: float64 (d, d), of any length.

- `oracle.direction(W)`: the gradient of the loss at any W (d, d), divided by its Frobenius norm (zeros where it
  underflows); entries of W at most 1e6 in size. At most `calls` = 600 calls.

**Measured.** 1 - correlation between the matrix returned and W at the end, <A, B> / (|A| |B|), but at least 1e-5;
geometric mean over several data sets, smaller is better. n is 6 or 10, T 8, d 16. Only numpy and scipy's linalg and
optimize may be used.
"""


class Gradient(Oracle):
    methods = ("direction",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["calls"])
        self._erm: AttentionErm = instance.secret[0]

    def direction(self, *args: Any) -> Array:
        if len(args) != 1:
            raise OracleRefused("direction takes one argument: W")
        d = self._erm.X.shape[3]
        try:
            W = as_array(args[0], shape=(d, d), name="W", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return self._erm.direction(W[None])[0]


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    sizes = {"smoke": ((6, 8, 16),), "default": ((6, 8, 16), (10, 8, 16)), "gpu": ((100, 64, 512),)}[size]
    sets, steps, calls = {"smoke": (2, 6000, 300), "default": (2, 12_000, 600), "gpu": (2, 20_000, 1000)}[size]
    made = []
    for n, tokens, d in sizes:
        together = attention_erm(rng, sets, n, tokens, d)
        end = together.descended(steps, STEP)
        for k in range(sets):
            one = AttentionErm(*(part[k : k + 1] for part in (together.X, together.z, together.relevance)))
            inputs = {"X": one.X[0], "z": one.z[0], "calls": calls}
            made.append(Instance(f"{n} texts-{k + 1}", inputs, (one, end[k])))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    erm, end = instance.secret
    W = as_array(output, shape=end.shape, low=-LARGEST * 1e6, high=LARGEST * 1e6)
    length = float(np.linalg.norm(W))
    if not length > 0:
        return Verdict.invalid("the matrix is zero")
    W = W / length
    miss = 1 - float((W * end).sum() / np.linalg.norm(end))
    scores = (erm.X[0] @ (erm.z[0] @ W.T)[..., None])[..., 0]
    ordered = np.sort(scores, axis=1)
    same = scores.argmax(axis=1) == erm.attention(end[None])[0].argmax(axis=1)
    return Verdict(
        valid=True,
        metrics={
            "miss": max(miss, LEAST_MISS),
            "calls": len(log.calls) if log else 0,
            "margin": float((ordered[:, -1] - ordered[:, -2]).min()),
            "same_tokens": float(same.mean()),
        },
    )


task = Task(
    id="att_svm",
    family="attention_kernels",
    title="Where the training of attention ends",
    paper=Paper("Transformers as Support Vector Machines", 2023),
    entry=Entry("def predict(oracle: Oracle, X: np.ndarray, z: np.ndarray, calls: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("miss", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("calls", 1, 600, bins=6, scale="log"),
        Descriptor("same_tokens", 0.0, 1.0, bins=6),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Gradient,
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB),
        imports=("numpy", "scipy.linalg", "scipy.optimize"),
    ),
    suspicious_ratio=1e4,
    claim=(
        "Gradient descent on attention converges in direction to a max-margin solution, so that a support vector "
        "machine tells where training ends; measured is the correlation with the end of a training 20 times as long."
    ),
)
