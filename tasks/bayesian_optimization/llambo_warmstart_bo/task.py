"""Tuning a classifier with few trials and a description of the problem (Liu et al. 2024, Large Language Models to
Enhance Bayesian Optimization).

A model that has read textbooks knows where good constants lie before the first trial. The paper has it propose first
configurations, predict scores and sample candidates for a wanted score.

Scaled down: textbook defaults as a table take the place of the language model; 74 tuning problems become 12 a draw,
trained for real on about a hundred points.

Changed against the catalogue's sketch: the classifiers are written in numpy (kernel ridge, a small network, boosted
stumps, nearest neighbours) and the data are made up, since scikit-learn's lie in the clear where it is installed. The
score is the accuracy on a validation set; there is no test set. The defaults in the reference are those of textbooks
and libraries, not tuned on these surfaces. The budget is 12 trials: after 20 the two methods are level, as the paper
has it. What knowing the problem gains comes from the kernel and the network, whose good constants fill a small part of
the space; on boosting and neighbours, with half the weight, random first trials were as good.
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
    costly,
)
from ....evaluators.checks import as_number
from ....sandbox import MIB, Limits
from .. import classifiers
from ..classifiers import Split

GENERATOR = 1
EARLY = 5

STATEMENT = """
Tune the constants of a classifier with few trials, and be good from the first trial on.

`tune(oracle, space, card, budget)` may call `score = oracle.evaluate(config)` at most `budget` times: `config` gives a
value to every name of `space`, the reply is the accuracy on validation data after training, without noise.
`space[name] = {"type": "float" or "int", "low", "high", "log": bool}`; `log` says that the scale is logarithmic.
Nothing is returned.

`card` describes the problem: `model`, `samples`, `features`, `classes`, `variance` (of the features, which are not
standardised) and `label_noise`. The models, by the names of their constants:

- `"kernel"`: ridge regression on the classes with a Gaussian kernel exp(-gamma |x - x'|^2), penalty 1 / C;
- `"neighbours"`: vote of the k nearest in the norm of order p, weighted by distance^-power;
- `"boosting"`: rounds of stumps with a learning rate, a random subsample of the points, and an l2 penalty on leaves;
- `"network"`: one hidden layer of tanh units, stochastic gradient descent for 30 epochs in batches of 16, with rate,
  momentum, l2 decay and width.

**Measured.** The regret after t trials is (best known - best score so far) / (best known - median of random
configurations), kept in [0, 1]; its mean over t = 1 ... budget, then over the problems, smaller is better. Trials that
are not used count as repeated. `budget` is 12; data differ from run to run.

**Rules.** A malformed call, or a value out of its range, is refused with an exception and uses up a trial. A
program that tries nothing is invalid.
"""


@dataclass(frozen=True)
class Judged:
    split: Split
    best: float
    median: float


class Trials(Oracle):
    methods = ("evaluate",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["budget"])
        self._space, self._model = instance.inputs["space"], instance.inputs["card"]["model"]
        self._split: Split = instance.secret.split

    def evaluate(self, *args: Any) -> float:
        if len(args) != 1 or not isinstance(args[0], dict) or set(args[0]) != set(self._space):
            raise OracleRefused("evaluate takes one argument: a value for every name of the space")
        config: dict[str, float] = {}
        for name, axis in self._space.items():
            try:
                value = as_number(args[0][name], name=name, low=axis["low"], high=axis["high"])
            except Rejected as rejection:
                raise OracleRefused(str(rejection)) from None
            if axis["type"] == "int" and value != int(value):
                raise OracleRefused(f"{name} must be an int")
            config[name] = value
        return classifiers.accuracy(self._model, self._split, config)


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    copies, budget = {"smoke": ((1, 1, 0, 0), 10), "default": ((4, 4, 2, 2), 12), "gpu": ((16, 16, 8, 8), 40)}[size]
    made = []
    for name, count in zip(("kernel", "network", "boosting", "neighbours"), copies, strict=True):
        for copy in range(count):
            seed, space = int(rng.integers(2**62)), classifiers.CLASSIFIERS[name][1]
            split, card = classifiers.blobs(np.random.default_rng(seed))
            inputs = {"space": space, "card": {"model": name} | card, "budget": budget}
            made.append(Instance(f"{name}-{copy}", inputs, _known(name, split, seed)))
    return made


def _known(name: str, split: Split, seed: int) -> Judged:
    """The best and the median accuracy of 100 random configurations; the best also of 30 near the best of them."""

    def facts() -> dict[str, np.ndarray]:
        rng, space = np.random.default_rng(seed), classifiers.CLASSIFIERS[name][1]
        tried = [classifiers.random_config(rng, space) for _ in range(100)]
        scores = [classifiers.accuracy(name, split, config) for config in tried]
        best, config = max(zip(scores, tried, strict=True), key=lambda pair: pair[0])
        for _ in range(30):
            near = classifiers.near_config(rng, space, config)
            score = classifiers.accuracy(name, split, near)
            if score >= best:
                best, config = score, near
        return {"best": np.array(best), "median": np.array(np.median(scores))}

    found = costly("llambo_warmstart_bo", GENERATOR, {"seed": seed, "name": name}, facts)
    return Judged(split, float(found["best"]), float(found["median"]))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    judged: Judged = instance.secret
    budget = instance.inputs["budget"]
    scores = [float(call.reply) for call in log.calls] if log else []
    if not scores:
        return Verdict.invalid("nothing was tried")
    best = np.maximum.accumulate(scores)
    best = np.concatenate([best, np.full(budget - len(best), best[-1])])
    curve = np.clip((judged.best - best) / max(judged.best - judged.median, 0.01), 0, 1)
    return Verdict(
        valid=True,
        metrics={"regret": float(curve.mean()), "early": float(curve[EARLY - 1]), "late": float(curve[-1])},
    )


task = Task(
    id="llambo_warmstart_bo",
    family="bayesian_optimization",
    title="Tuning with a description of the problem",
    paper=Paper("Large Language Models to Enhance Bayesian Optimization", 2024),
    entry=Entry("def tune(oracle: Oracle, space: dict, card: dict, budget: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "linear"),
    descriptors=(
        Descriptor("early", 0.0, 1.0, bins=8),
        Descriptor("late", 0.0, 0.5, bins=6),
        Descriptor("code_size", 50, 1500, bins=8, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Trials,
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy", "scipy.special")
    ),
    claim=(
        "Knowledge of the problem helps Bayesian optimisation most in the first trials; measured is the mean regret "
        "over 12 trials."
    ),
)
