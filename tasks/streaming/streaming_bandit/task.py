"""Single-pass streaming bandits with memory for one arm (Wang 2023, Tight Regret Bounds).

Arms arrive one after another; an arm that is sent away never comes back, and only one can be stored. The paper shows
that regret of order K^(1/3) T^(2/3), without a factor log^(1/3) T, is reached by sending most newcomers away early.

Scaled down: 20 arms with 1e5 trials and 40 arms with 1e6; the trials are the paper's own scale, the arms fewer.

Changed against the catalogue's sketch: memory of one arm only; a newcomer is stored or sent away by one call, and the
trials that are left after the last arm go to the stored one by themselves. The means' distributions have random
parameters, so that a good arm cannot be told by its value; and the scale is the mean regret of three streams of a kind,
because that of one stream has a heavy tail. Uniform exploration with a constant well chosen in hindsight is the known
program.
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
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import bernoulli_arms

Array = np.ndarray[Any, Any]
KINDS = ("uniform", "one good", "poor")
SETTINGS = ((20, 10**5), (40, 10**6))
STREAMS = 3

STATEMENT = """
Play a bandit whose arms arrive one after another, with room to store a single arm.

`play(oracle, K, T, seed)` meets `K` arms in random order; pulls of an arm succeed with a hidden probability, its mean.
There are `T` trials in all.

- `oracle.pull(m)`: pulls the current arm m times (a positive integer) and returns the number of successes.
- `oracle.pull_stored(m)`: the same for the stored arm.
- `oracle.next(store)`: ends the visit of the current arm. With `store` True it replaces the stored arm, which is lost;
  with False it is lost itself. The next arm becomes the current one. Returns how many arms are still to be visited,
  the new current one included; 0 after the last.

Nothing is returned. Statistics of lost arms may be kept. All trials that are left when `play` returns are spent on the
stored arm.

**Measured.** Pseudo-regret: the sum over all T trials of (largest mean - mean of the pulled arm), divided by
K^(1/3) T^(2/3) and averaged over several streams of a kind; geometric mean over the kinds (after adding 1e-3), smaller
is better. Kinds differ in `K`, `T` and in how the means are distributed: spread out, one good arm among equal ones, one
good arm among mostly poor ones. Every stream is played in a fresh process.

**Rules.** At the end an arm must be stored. Pulls beyond the trials left, pulls of a lost arm and malformed calls are
refused with an exception. `seed` is for the program's own random choices.
"""


@dataclass(frozen=True)
class Stream:
    """``means`` (K,) in the order of arrival; ``seed`` of the successes."""

    means: Array
    seed: int


class Arms(Oracle):
    """One stream; ``regret`` and ``used`` count the trials spent so far."""

    methods = ("pull", "pull_stored", "next")

    def __init__(self, stream: Stream, trials: int) -> None:
        super().__init__()
        self.budget = float("inf")
        self.regret = 0.0
        self.used = 0
        self.rejected_early = 0
        self.stored: int | None = None
        self._trials = trials
        self._means = stream.means
        self._rng = np.random.default_rng(stream.seed)
        self._current = 0
        self._visit = 0

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return 0.0

    def pull(self, *args: Any) -> int:
        if self._current >= len(self._means):
            raise OracleRefused("all arms have been visited")
        successes = self._pulled(self._current, args)
        self._visit += int(args[0])
        return successes

    def pull_stored(self, *args: Any) -> int:
        if self.stored is None:
            raise OracleRefused("no arm is stored")
        return self._pulled(self.stored, args)

    def next(self, *args: Any) -> int:
        if len(args) != 1 or not isinstance(args[0], bool | np.bool_):
            raise OracleRefused("next takes one argument: True to store the current arm, or False")
        if self._current >= len(self._means):
            raise OracleRefused("all arms have been visited")
        if args[0]:
            self.stored = self._current
        self.rejected_early += self._visit < 100
        self._current, self._visit = self._current + 1, 0
        return len(self._means) - self._current

    def _pulled(self, arm: int, args: tuple[Any, ...]) -> int:
        try:
            count = int(as_array(args[0], shape=(), name="m", integer=True, low=1)) if len(args) == 1 else 0
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if not 1 <= count <= self._trials - self.used:
            raise OracleRefused(f"m must be one positive integer, and {self._trials - self.used} trials are left")
        self.used += count
        self.regret += count * float(self._means.max() - self._means[arm])
        return int(self._rng.binomial(count, self._means[arm]))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    settings = {"smoke": ((20, 10**4),), "default": SETTINGS, "gpu": ((200, 10**6), (1000, 10**7))}[size]
    kinds = KINDS[:1] if size == "smoke" else KINDS
    made = []
    for arms, trials in settings:
        for kind in kinds:
            seeds = rng.integers(0, 2**31, STREAMS).tolist()
            streams = tuple(Stream(bernoulli_arms(rng, kind, arms), seed) for seed in seeds)
            inputs = {"K": arms, "T": trials, "seed": int(rng.integers(2**31))}
            made.append(Instance(f"{kind}, {arms} arms", inputs, streams))
    return made


def drive(instance: Instance, session: Any) -> list[Arms]:
    """Play every stream, each in its own process; returns what became of them."""
    played = []
    for number, stream in enumerate(instance.secret):
        arms = Arms(stream, instance.inputs["T"])
        inputs = {**instance.inputs, "seed": instance.inputs["seed"] + number}
        session.call("play", inputs, arms)
        played.append(arms)
    return played


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    trials, regrets = instance.inputs["T"], []
    for stream, arms in zip(instance.secret, output, strict=True):
        if arms.stored is None:
            return Verdict.invalid("no arm is stored at the end")
        last = float(stream.means.max() - stream.means[arms.stored])
        regrets.append(arms.regret + (trials - arms.used) * last)
    count = instance.inputs["K"]
    unit = count ** (1 / 3) * trials ** (2 / 3)
    return Verdict(
        valid=True,
        metrics={
            "regret": float(np.mean(regrets)) / unit,
            "regret_spread": float(np.std(regrets)) / unit,
            "exploration": float(np.mean([arms.used for arms in output])) / trials,
            "rejected_early": float(np.mean([arms.rejected_early for arms in output])) / count,
        },
    )


task = Task(
    id="streaming_bandit",
    family="streaming",
    title="A bandit with memory for one arm",
    paper=Paper("Tight Regret Bounds for Single-pass Streaming Multi-armed Bandits", 2023),
    entry=Entry("def play(oracle: Oracle, K: int, T: int, seed: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(
        Descriptor("exploration", 0.002, 0.5, bins=8, scale="log"),
        Descriptor("rejected_early", 0.0, 1.0, bins=6),
        Descriptor("code_size", 50, 400, bins=8, scale="log"),
    ),
    style="rounds",
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    drive=drive,
    claim=(
        "Challenging a stored king in levels removes a factor log^(1/3) T from the regret and cuts it by up to 70 % in "
        "the paper's simulations; measured here is the regret against uniform exploration."
    ),
)
