"""Variational inference with continuous and binary unknowns (Becker et al. 2024, Programmable Variational Inference).

A library with one gradient estimator for all sites is as noisy as its worst one. In the paper each site of a program
has a strategy of its own, and the composition is unbiased by construction.

Scaled down: the language, its program transformation and the proofs are left out; what remains is the space of
estimators it spans, for mean-field families with 28 to 60 parameters.

Changed against the catalogue's sketch: the oracle tells the log density term by term, and the inputs say which terms a
binary site touches, so that local structure can be used; the budget is 2,000 units, where the gaps are largest. The
mixture has Student-t noise (else it is conjugate) and eight continuous sites, spike and slab sees local mixtures of 14
sites. The gap is compared as a ratio. Pathwise gradients with a score function on the terms that a site touches are the
known program, a third of the way to the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    costly,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import posteriors
from ..posteriors import MeanField, Model

Array = np.ndarray[Any, Any]
GENERATOR = 1
GRADIENT_PRICE = 3.0
LARGEST = 1e3
LOG_SD = (-12.0, 6.0)
WORST_GAP = 200.0
SAMPLES = 4000

STATEMENT = """
Fit a mean-field approximation to the posterior of a model with continuous and binary unknowns.

The unknowns are z (real, d of them) and b (0 or 1, k of them). The approximation has independent normals z_i ~
N(mean_i, exp(log_sd_i)^2) and Bernoullis with P(b_j = 1) = 1 / (1 + exp(-logits_j)). `fit(oracle, model, budget)` gets
`model = {"continuous": d, "binary": k, "touched": [...]}` and calls:

- `oracle.terms(z, b)`: for r rows `z` (r, d) and `b` (r, k) the log density of model and data as a sum of terms,
  float64 (r, terms). Costs r units. `model["touched"][j]` lists the numbers of the terms that depend on b_j.
- `oracle.gradient(z, b)`: the pair of the same terms and the gradient (r, d) of their sum with respect to z. Costs 3 r.

Return `{"mean": (d,), "log_sd": (d,), "logits": (k,)}`, entries at most 1000 in size and `log_sd` in [-12, 6].

**Measured.** The gap in nats between the evidence lower bound E[log density] + entropy of what is returned and that of
a long fit, at most 200; geometric mean over the models (after adding 0.5), smaller is better. Models: a regression with
switches, an assignment of points to two centres, a sparse signal; z is standard normal a priori. d is 8 to 30, k is 6
to 40, and `budget` 2,000 units.

**Rules.** A malformed call is refused with an exception (b must hold 0 and 1 only, entries of z are at most 1000 in
size); so is one that the rest of the budget does not cover.
"""


@dataclass(frozen=True)
class Judged:
    """``best`` is the bound of the long fit, by the samples of ``seed``."""

    model: Model
    best: float
    seed: int


class Density(Oracle):
    methods = ("terms", "gradient")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._model: Model = instance.secret.model

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        z = args[0] if args else None
        rows = len(z) if isinstance(z, np.ndarray | list) and np.ndim(z) else 1
        return max(rows, 1) * (GRADIENT_PRICE if method == "gradient" else 1.0)

    def terms(self, *args: Any) -> Array:
        return self._model.terms(*self._unknowns(args))

    def gradient(self, *args: Any) -> tuple[Array, Array]:
        z, b = self._unknowns(args)
        return self._model.terms(z, b), self._model.gradient(z, b)

    def _unknowns(self, args: tuple[Any, ...]) -> tuple[Array, Array]:
        if len(args) != 2:
            raise OracleRefused("there are two arguments: z and b")
        try:
            z = as_array(args[0], shape=(None, self._model.continuous), name="z", low=-LARGEST, high=LARGEST)
            b = as_array(args[1], shape=(len(z), self._model.binary), name="b", low=0.0, high=1.0)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if not ((b == 0) | (b == 1)).all():
            raise OracleRefused("b must hold 0 and 1 only")
        return z, b


Kind = Callable[[np.random.Generator], Model]


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    small, budget, copies = {"smoke": (True, 250, 1), "default": (False, 2000, 2), "gpu": (False, 10_000, 4)}[size]
    kinds: dict[str, Kind] = {
        "switches": lambda rng: posteriors.switched_regression(rng, *((6, 3, 20) if small else (30, 6, 60))),
        "assignments": lambda rng: posteriors.assignments(rng, *((2, 8) if small else (4, 40))),
        "sparse": lambda rng: posteriors.spike_and_slab(rng, 14),
    }
    made = []
    for name, kind in list(kinds.items())[: 2 if small else 3]:
        for copy in range(copies):
            made.append(Instance(f"{name}-{copy}", *_posed(kind, int(rng.integers(2**62)), budget, f"{name} {size}")))
    return made


def _posed(kind: Kind, seed: int, budget: int, name: str) -> tuple[dict[str, Any], Judged]:
    """Inputs and secret of one instance; ``name`` and ``seed`` determine the model."""
    model = kind(np.random.default_rng(seed))
    inputs = {"continuous": model.continuous, "binary": model.binary, "touched": model.touched}

    def facts() -> dict[str, Array]:
        best = posteriors.long_fit(model, seed, steps=1500, samples=8)
        return {"best": np.array(posteriors.elbo(model, best, seed, SAMPLES))}

    found = costly("programmable_vi", GENERATOR, {"seed": seed, "name": name}, facts)
    return {"model": inputs, "budget": budget}, Judged(model, float(found["best"]), seed)


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    judged: Judged = instance.secret
    d, k = judged.model.continuous, judged.model.binary
    if not isinstance(output, dict) or set(output) != {"mean", "log_sd", "logits"}:
        return Verdict.invalid("the result must be a dict with mean, log_sd and logits")
    q = MeanField(
        as_array(output["mean"], shape=(d,), name="mean", low=-LARGEST, high=LARGEST),
        as_array(output["log_sd"], shape=(d,), name="log_sd", low=LOG_SD[0], high=LOG_SD[1]),
        as_array(output["logits"], shape=(k,), name="logits", low=-LARGEST, high=LARGEST),
    )
    bound = posteriors.elbo(judged.model, q, judged.seed, SAMPLES)
    if not np.isfinite(bound):
        return Verdict.invalid("the bound is not finite")
    calls = log.calls if log else []
    spent = sum(call.cost for call in calls)
    return Verdict(
        valid=True,
        metrics={
            "gap": min(max(judged.best - bound, 0.0), WORST_GAP),
            "gradient_share": sum(call.cost for call in calls if call.method == "gradient") / max(spent, 1.0),
            "rows": float(np.mean([len(call.args[0]) for call in calls])) if calls else 0.0,
        },
    )


task = Task(
    id="programmable_vi",
    family="zeroth_order",
    title="Fitting a posterior with switches",
    paper=Paper("Probabilistic Programming with Programmable Variational Inference", 2024),
    entry=Entry("def fit(oracle: Oracle, model: dict, budget: int) -> dict"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=0.5, unit="nats"),
    descriptors=(
        Descriptor("gradient_share", 0.0, 1.0, bins=8),
        Descriptor("rows", 1, 64, bins=6, scale="log"),
        Descriptor("code_size", 100, 1000, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Density,
    limits=TaskLimits(
        run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy", "scipy.special")
    ),
    claim=(
        "Modular strategies combine estimators that monolithic variational inference lacks, and fit better at equal "
        "cost; measured is the gap to the bound of a long fit."
    ),
)
