"""Tuning an agent for several objectives (Felten et al. 2023, Hyperparameter Optimization for Multi-Objective
Reinforcement Learning).

An agent for several objectives is worth the hypervolume of the policies it learns, which varies from seed to seed. The
paper tunes for the mean over seeds, and reports on other seeds.

Scaled down: tables for a diver on a small grid take the place of deep agents on locomotion; 10 configurations on three
seeds each.

Changed against the catalogue's sketch: one kind of environment, a sea drawn anew for each instance, and 1,000 steps a
training; seven constants, none of them categorical; the adaptation of weights is left out. The budget is 30 trainings
instead of 45. The baseline is the default configuration, the paper's comparison; random search on one seed, with the
best single value, is the known program and as good as the paper's method here: what counts is that one tunes.
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
from .. import divers
from ..divers import Sea

TUNING_SEEDS, VALIDATION_SEEDS = 3, 8

STATEMENT = """
Tune the constants of a reinforcement learner with several objectives, whose results vary from seed to seed.

`tune(oracle, space, default, budget, seeds)` may call `value = oracle.train(config, seed)` at most `budget` times:
`config` gives a value to every name of `space`, `seed` is one of 0 ... `seeds` - 1 (three). The agent is trained and
the reply is the hypervolume of its policies, 0 to 1, larger is better; the same call gives the same value.
`space[name] = {"type": "float" or "int", "low", "high", "log": bool}`; `log` says that the scale is logarithmic.
`default` is the agent's usual configuration. Return a configuration.

The agent learns a table of values for each of several weights of treasure against time, by steps of size `alpha`
towards rewards discounted by `gamma`; it explores with a probability that falls from `eps_start` to `eps_end`, starts
from values `first_q`, and learns `replay` past steps again after each one. All weights share the steps of a training.

**Measured.** The mean hypervolume of the returned configuration over 8 other seeds, mean over the environments; larger
is better. `budget` is 30.

**Rules.** A malformed call, or a value out of its range, is refused with an exception and uses up a training.
"""


@dataclass(frozen=True)
class Judged:
    """``seed`` is the first of the trainings' own seeds: tuning seeds come first, then those of the validation."""

    sea: Sea
    seed: int


class Trainer(Oracle):
    methods = ("train",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["budget"])
        self._judged: Judged = instance.secret

    def train(self, *args: Any) -> float:
        if len(args) != 2 or type(args[1]) is not int or not 0 <= args[1] < TUNING_SEEDS:
            raise OracleRefused("train takes a configuration and the number of a seed")
        try:
            config = _checked(args[0])
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return divers.trained(self._judged.sea, config, self._judged.seed + args[1])


def _checked(config: Any) -> dict[str, float]:
    """Raises: Rejected."""
    if not isinstance(config, dict) or set(config) != set(divers.SPACE):
        raise Rejected("a configuration must be a dict with a value for every name of the space")
    checked = {}
    for name, axis in divers.SPACE.items():
        value = as_number(config[name], name=name, low=axis["low"], high=axis["high"])
        if axis["type"] == "int" and value != int(value):
            raise Rejected(f"{name} must be an int")
        checked[name] = value
    return checked


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    budget, copies = {"smoke": (12, 2), "default": (30, 5), "gpu": (90, 12)}[size]
    inputs = {"space": divers.SPACE, "default": divers.DEFAULT, "budget": budget, "seeds": TUNING_SEEDS}
    return [
        Instance(f"sea of draw {copy}", inputs, Judged(divers.sea(rng), int(rng.integers(2**31))))
        for copy in range(copies)
    ]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    judged: Judged = instance.secret
    config = _checked(output)
    first = judged.seed + TUNING_SEEDS
    values = [divers.trained(judged.sea, config, first + k) for k in range(VALIDATION_SEEDS)]
    told = [float(call.reply) for call in log.calls] if log else []
    return Verdict(
        valid=True,
        metrics={
            "hypervolume": float(np.mean(values)),
            "trainings": float(len(told)),
            "optimism": max(told, default=0.0) - float(np.mean(values)),
        },
    )


task = Task(
    id="morl_hpo",
    family="bayesian_optimization",
    title="Tuning a learner with several objectives",
    paper=Paper("Hyperparameter Optimization for Multi-Objective Reinforcement Learning", 2023),
    entry=Entry("def tune(oracle: Oracle, space: dict, default: dict, budget: int, seeds: int) -> dict"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("hypervolume", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("trainings", 0.0, 30.0, bins=6),
        Descriptor("optimism", -0.2, 0.6, bins=6),
        Descriptor("code_size", 20, 1000, bins=8, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Trainer,
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.5, wall_seconds=60.0, memory_bytes=512 * MIB),
        imports=("numpy", "scipy.special", "scipy.linalg"),
    ),
    claim=(
        "Configurations tuned for the mean hypervolume over seeds are better than defaults on other seeds; measured is "
        "the mean hypervolume on seeds that were not used for tuning."
    ),
)
