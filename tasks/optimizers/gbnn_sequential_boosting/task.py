"""A network whose last units can be left out (Emami and Martinez-Munoz 2023, Sequential Training of Neural Networks
with Gradient Boosting).

The paper trains a layer few units at a time: each group fits the gradient that the groups before it left, as in
gradient boosting. The result is one ordinary network, of which the units trained last can be switched off with hardly
any loss. Joint training spreads the function over all units.

Scaled down: five made-up data sets of six variables and 40 units, where the paper has a dozen public sets and the last
layers of deep networks. At full width the two ways of training are level, as in the paper; the whole margin is in the
narrower networks. Training on the mean of the four losses that are measured, outside the paper and known here, is a
little better on regression and worse on classification.

Changed against the catalogue's sketch: no data of scikit-learn, which lie in the clear where it is installed; 40 units
instead of 100; shrinkage 0.7 instead of 0.5, since half a step leaves the narrowest network short. The small networks
have no output bias: with one (centred steps, the means in b2) a prefix of the network was not the boosted model of
that step, and classification was lost to joint training.
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
    Paper,
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..tabular import KINDS, Samples

Array = np.ndarray[Any, Any]
LARGEST = 1e6
WORST = -1.0

STATEMENT = """
Train a network with one hidden layer that is good **at several widths**: also when only its first units are kept.

`fit(X, Y, task, H, seed)` receives

- `X` float64 (n, p): the training inputs; `Y` float64 (n, K): for `task == "regression"` the values (K = 1), for
  `"classification"` rows of zeros with a one at the class;
- `H`: the number of units; `seed`: an integer for the program's own random choices.

Return `(W1, b1, W2, b2)` of shapes (p, H), (H,), (H, K), (K,): the network tanh(X W1 + b1) W2 + b2.

**Measured.** The network is cut to its first k units, for k = H/8, H/4, H/2 and H, with b2 as it is, and evaluated on
hidden test data: R^2 for regression, (accuracy - a) / (1 - a) with a the share of the most frequent class for
classification, each at least -1. Mean over the four widths, then over the data sets; larger is better.

**The data.** Five sets with interactions between the variables: three regressions with noise and two classifications
with wrong labels. n = 500, p = 6 and H = 40 at full size.

**Rules.** Entries are finite and at most 10^6 in size. Only numpy and scipy.optimize may be imported.
"""


@dataclass(frozen=True)
class Held:
    """The test set, and the training targets' mean (regression) or nothing."""

    test: Samples
    mean: Array


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    names, n, p, H = {
        "smoke": (("sine", "parity"), 120, 4, 16),
        "default": (tuple(KINDS), 500, 6, 40),
        "gpu": (tuple(KINDS), 5000, 12, 160),
    }[size]
    made = []
    for name in names:
        train, test = KINDS[name](rng, n, 1000, p)
        task = "classification" if train.Y.shape[1] > 1 else "regression"
        inputs = {"X": train.X, "Y": train.Y, "task": task, "H": H, "seed": int(rng.integers(2**31))}
        made.append(Instance(name, inputs, Held(test, train.Y.mean(axis=0))))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    H, (_, p), (_, K) = instance.inputs["H"], instance.inputs["X"].shape, instance.inputs["Y"].shape
    if not isinstance(output, tuple | list) or len(output) != 4:
        raise Rejected("fit must return (W1, b1, W2, b2)")
    shapes = {"W1": (p, H), "b1": (H,), "W2": (H, K), "b2": (K,)}
    W1, b1, W2, b2 = (
        as_array(value, shape=shape, name=name, low=-LARGEST, high=LARGEST)
        for value, (name, shape) in zip(output, shapes.items(), strict=True)
    )
    held: Held = instance.secret
    hidden = np.tanh(held.test.X @ W1 + b1)
    marks = [_mark(hidden[:, :k] @ W2[:k] + b2, held, instance.inputs["task"]) for k in (H // 8, H // 4, H // 2, H)]
    return Verdict(
        valid=True,
        metrics={"prefix_score": float(np.mean(marks)), "full_score": marks[-1], "narrow_score": marks[0]},
    )


def _mark(F: Array, held: Held, task: str) -> float:
    Y = held.test.Y
    if task == "regression":
        return max(WORST, 1 - float(np.mean((F - Y) ** 2)) / float(np.mean((held.mean - Y) ** 2)))
    most = float(Y.mean(axis=0).max())
    return max(WORST, (float(np.mean(F.argmax(axis=1) == Y.argmax(axis=1))) - most) / (1 - most))


task = Task(
    id="gbnn_sequential_boosting",
    family="optimizers",
    title="A network for several widths",
    paper=Paper("Sequential Training of Neural Networks with Gradient Boosting", 2023),
    entry=Entry(
        "def fit(X: np.ndarray, Y: np.ndarray, task: str, H: int, seed: int)"
        " -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("prefix_score", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("full_score", 0.0, 1.0, bins=8),
        Descriptor("narrow_score", -1.0, 1.0, bins=8),
        Descriptor("code_size", 100, 1000, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy", "scipy.optimize")
    ),
    claim=(
        "A network trained by gradient boosting is as accurate as one trained jointly and loses hardly anything when "
        "its last units are left out; measured is the test score averaged over four widths."
    ),
)
