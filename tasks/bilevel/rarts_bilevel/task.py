"""Bilevel search from first-order gradients of two losses (Xue, Qi and Xin 2021, RARTS).

Differentiable architecture search trains weights on one loss and the architecture on another. Its first-order form
ignores that trained weights follow the architecture, and comes to another point. The paper keeps two copies of the
weights, one on each loss, ties them by a penalty, and descends on the sum by first derivatives.

Scaled down: the paper's solvable model in random units and a vector form of it; no images, no search of widths. The
paper's advantage in an architecture search was within the noise in trials on a small supernet, so the bilevel core
alone is measured.

Changed against the catalogue's sketch: the curvature's bound is told; 800 calls instead of 4,000; half of the training
losses are not quadratic; no mixture of operators, because the relaxed loss has the bilevel solution only where the best
training loss is the same for every architecture. The step on a is taken at the point where the step on the weights is,
so that each step needs two calls. Noise of half of the problems multiplies entries. Implicit differentiation whose
second derivatives are differences of gradients, a known program here, comes orders of magnitude closer; hence the
generous suspicious ratio.
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
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import architectures
from ..architectures import Relaxed
from ..arguments import LARGEST, arrays

Array = np.ndarray[Any, Any]
WORST_GAP = 1e3
DISTANCE = 10.0

STATEMENT = """
Choose an architecture a (k,) that is best on a validation loss **once its weights have been trained**: minimise
F(a) = L_val(w*(a), a), where w*(a) (n,) minimises the training loss L_train(., a).

`search(oracle, w0, a0, L, budget)` may call `in_w, in_a = oracle.grad(which, w, a)`, `which` being "train" or "val":
the gradients of that loss in w (n,) and in a (k,); at most `budget` calls in all (800 at full size). `L` bounds the
curvature of both losses. Start at `w0` (n,) and `a0` (k,). Return a (k,).

**Measured.** The relative gap (F(a) - min F) / (F(a0) - min F) at the a returned, at most 1000; geometric mean over the
problems (after adding 1e-8), smaller is better.

**The problems.** Half of them have one weight and one architecture variable, half 20 and 5. The best training loss is
the same for every a. Half of the problems are noisy: each call multiplies every entry of its reply by 1 + 0.1 n with
its own standard normal n.

**Rules.** Entries of arguments and of a are at most 10^9 in size. A call with other arguments is refused with an
exception, but charged; a call beyond the budget is refused.
"""


@dataclass(frozen=True)
class Search:
    """A model, the relative noise of its gradients and the seed of that noise: the same for every program."""

    model: Relaxed
    noise: float
    seed: int


class Losses(Oracle):
    methods = ("grad",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        search: Search = instance.secret
        self._model, self._noise = search.model, search.noise
        self._rng = np.random.default_rng(search.seed)

    def grad(self, *args: Any) -> tuple[Array, Array]:
        if len(args) != 3 or not isinstance(args[0], str) or args[0] not in ("train", "val"):
            raise OracleRefused('grad takes "train" or "val", w and a')
        w, a = arrays(args[1:], *self._model.b.shape)
        in_w, in_a = (self._model.training if args[0] == "train" else self._model.validation)(w, a)
        return self._blurred(in_w), self._blurred(in_a)

    def _blurred(self, exact: Array) -> Array:
        return exact * (1 + self._noise * self._rng.standard_normal(exact.size))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, k, budget = {"smoke": (20, 5, 600), "default": (20, 5, 800), "gpu": (200, 50, 8000)}[size]
    made = []
    for noise in (0.0, 0.1):
        for bend in (0.0, 0.5):
            for name in ("scalar", "vector"):
                model = architectures.scalar(rng, bend) if name == "scalar" else architectures.vector(rng, n, k, bend)
                search = Search(model, noise, int(rng.integers(2**62)))
                away = rng.standard_normal(model.e.size)
                a0 = model.optimum + DISTANCE * away / np.linalg.norm(away)
                w0 = model.b @ a0 + rng.standard_normal(len(model.q))
                inputs = {"w0": w0, "a0": a0, "L": model.smoothness, "budget": budget}
                made.append(Instance(f"{name}-{bend:g}-{noise:g}", inputs, search))
    return made[:2] if size == "smoke" else made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    model: Relaxed = instance.secret.model
    a = as_array(output, shape=model.e.shape, name="a", low=-LARGEST, high=LARGEST)
    gap = model.excess(a) / model.excess(instance.inputs["a0"])
    calls = log.calls if log else []
    trained = sum(call.args[0] == "train" for call in calls) / max(len(calls), 1)
    late = np.array([call.args[2] for call in calls[-len(calls) // 10 :]]) if calls else a[None]
    return Verdict(
        valid=True,
        metrics={
            "gap": min(gap, WORST_GAP),
            "train_share": trained,
            "sway": float(np.linalg.norm(late.std(axis=0)) / (np.linalg.norm(a) + 1e-12)),
        },
    )


task = Task(
    id="rarts_bilevel",
    family="bilevel",
    title="An architecture from two losses",
    paper=Paper("RARTS: An Efficient First-Order Relaxed Architecture Search Method", 2021),
    entry=Entry(
        "def search(oracle: Oracle, w0: np.ndarray, a0: np.ndarray, L: float, budget: int) -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-8),
    descriptors=(
        Descriptor("train_share", 0.0, 1.0, bins=6),
        Descriptor("sway", 1e-4, 1.0, bins=6, scale="log"),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Losses,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=1e6,
    claim=(
        "A relaxed descent with two copies of the weights comes to the bilevel optimum where first-order DARTS does "
        "not, at first-order cost; measured is the gap of the hyper-objective at equal calls."
    ),
)
