"""Evolution strategies for a whole network (Sarkar et al. 2025, Evolution Strategies at the Hyperscale).

Every member of the population is the network with its own random perturbation. With a dense Gaussian matrix a member
costs as many random numbers as the network has weights, and a matrix product of its own; the paper's method avoids both
and learns as well per generation.

Scaled down: networks of 13,000 to 26,000 weights on one core instead of integer language models on accelerators; the
gain of batched products on a GPU shows here as CPU time.

Changed against the catalogue's sketch: points come in fresh batches and lie near a subspace of four dimensions (from 64
points in 256 dimensions nothing generalises, and no strategy learnt from them in 40 generations); the target is a fixed
fitness on fresh points, which both programs reach in about 30 generations. A member is proved after its outputs are
sent, by weights of whatever origin, so that the interface does not tell how perturbations are best made. The recurrent
network is left out. Members that share the random numbers of one table are the known program.
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
from ..workloads import labelled, rounded_margin, three_layers

Array = np.ndarray[Any, Any]
LATENT, CLASSES, BATCH = 4, 4, 16
MOST_MEMBERS = 256
LARGEST = 1e4
TOLERANCE = 1e-3
TARGET = 0.5
TEST_POINTS = 4000

STATEMENT = """
Train a network on a fitness that has no gradient, in as little CPU time as possible.

`train(oracle, weights, X, target)` receives three float32 matrices `weights` of shapes (h, d), (h, h), (c, h), the
start of the network W3 tanh(W2 tanh(W1 x)), and batches of points `X` float32 (T, b, d). A **generation** uses the next
batch, `X[t]` for t = 0, 1, ..., and takes two calls:

- `member = oracle.outputs(logits)`: `logits` (N, b, c) are the outputs on `X[t]` of N <= 256 networks, computed by you;
  which networks is your choice. The reply is the number of one of them, drawn at random.
- `fitness = oracle.fitness(matrices)`: the three matrices of that member, as proof. If they do not give its outputs
  (to 0.001 of the largest output) the program is invalid. The reply is the fitness of all N, float64 (N,).

Fitness is the mean over the points of clip(margin, -1, 1) rounded to tenths, where margin is by how much the output of
the right class exceeds the largest of the others. The right classes are hidden.

Return three matrices. **Validity:** their fitness on fresh points of the same kind is at least `target` (the start's is
about -0.5). **Measured.** CPU seconds of the whole process, geometric mean over the instances; less is better.
d and h are about 100, b = 16, c = 4, and there are T = 60 batches. Points differ in a few directions only.

**Rules.** A malformed call, or one out of turn, is refused with an exception.
"""


@dataclass(frozen=True)
class Hidden:
    """Classes (T, b) of the batches, fresh points with theirs, and the ``seed`` that draws members."""

    labels: Array
    points: Array
    classes: Array
    seed: int


@dataclass(slots=True)
class Generations(CallLog):
    done: int = 0
    members: int = 0
    forged: bool = False


class Rater(Oracle):
    methods = ("outputs", "fitness")

    def __init__(self, instance: Instance) -> None:
        self.log: Generations = Generations()
        self._batches, self._hidden = instance.inputs["X"], instance.secret
        self._shapes = [matrix.shape for matrix in instance.inputs["weights"]]
        self._rng = np.random.default_rng(instance.secret.seed)
        self._logits: Array | None = None
        self._member = 0

    def outputs(self, *args: Any) -> int:
        if self._logits is not None or self.log.done == len(self._batches) or len(args) != 1:
            raise OracleRefused("outputs takes one argument, once per batch")
        shape = (None, self._batches.shape[1], self._shapes[-1][0])
        logits = _checked(args[0], shape, "the array of outputs")
        if not 1 <= len(logits) <= MOST_MEMBERS:
            raise OracleRefused(f"there may be 1 to {MOST_MEMBERS} networks")
        self._logits, self._member = logits, int(self._rng.integers(len(logits)))
        return self._member

    def fitness(self, *args: Any) -> Array:
        logits = self._logits
        if logits is None or len(args) != 1 or not isinstance(args[0], list | tuple) or len(args[0]) != 3:
            raise OracleRefused("fitness takes one argument, three matrices, after a call of outputs")
        matrices = [_checked(matrix, shape, "a matrix") for matrix, shape in zip(args[0], self._shapes, strict=True)]
        now, self._logits = self.log.done, None
        self.log.done += 1
        self.log.members += len(logits)
        true, claimed = three_layers(matrices, self._batches[now]), logits[self._member]
        if not np.abs(true - claimed).max() <= TOLERANCE * max(1.0, float(np.abs(true).max())):
            self.log.forged = True
            raise OracleRefused("these matrices do not give the outputs of that member")
        return rounded_margin(logits, self._hidden.labels[now])


def _checked(value: Any, shape: Sequence[int | None], name: str) -> Array:
    """Raises: OracleRefused."""
    try:
        return as_array(value, shape=shape, name=name, low=-LARGEST, high=LARGEST)
    except Rejected as rejection:
        raise OracleRefused(str(rejection)) from None


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    widths = {"smoke": (32,), "default": (80, 112), "gpu": (512, 1024)}[size]
    made = []
    for width in widths:
        source = labelled(rng, width, LATENT, CLASSES)
        batches, labels = zip(*(source.draw(rng, BATCH) for _ in range(60)), strict=True)
        points, classes = source.draw(rng, TEST_POINTS)
        shapes = ((width, width), (width, width), (CLASSES, width))
        weights = [(rng.standard_normal(shape) / np.sqrt(width)).astype(np.float32) for shape in shapes]
        inputs = {"weights": weights, "X": np.stack(batches), "target": TARGET}
        hidden = Hidden(np.stack(labels), points, classes, int(rng.integers(2**62)))
        made.append(Instance(f"width {width}", inputs, hidden))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if isinstance(log, Generations) and log.forged:
        return Verdict.invalid("the matrices given as proof did not give the outputs of that member")
    if not isinstance(output, list | tuple) or len(output) != 3:
        return Verdict.invalid("three matrices must be returned")
    matrices = [
        as_array(matrix, shape=start.shape, name="a matrix", low=-LARGEST, high=LARGEST)
        for matrix, start in zip(output, instance.inputs["weights"], strict=True)
    ]
    hidden: Hidden = instance.secret
    fitness = float(rounded_margin(three_layers(matrices, hidden.points)[None], hidden.classes)[0])
    if not fitness >= instance.inputs["target"]:
        return Verdict.invalid(f"the fitness on fresh points is {fitness:.2f}, below the target", fitness=fitness)
    done = log if isinstance(log, Generations) else Generations()
    return Verdict(
        valid=True,
        metrics={"fitness": fitness, "generations": float(done.done), "evaluations": float(done.members)},
    )


task = Task(
    id="eggroll_lowrank_es",
    family="zeroth_order",
    title="Evolving the weights of a network",
    paper=Paper("Evolution Strategies at the Hyperscale", 2025),
    entry=Entry("def train(oracle: Oracle, weights: list, X: np.ndarray, target: float) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", Measure.CPU_SECONDS, unit="s"),
    descriptors=(
        Descriptor("evaluations", 100, 10_000, bins=8, scale="log"),
        Descriptor("peak_memory", 2e7, 5e8, bins=6, scale="log"),
        Descriptor("code_size", 100, 1000, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Rater,
    limits=TaskLimits(
        run=Limits(cpu_seconds=3.0, wall_seconds=30.0, memory_bytes=512 * MIB),
        cpu_times_baseline=4.0,
        imports=("numpy",),
    ),
    claim=(
        "Perturbations of low rank lose nothing against dense ones and cost r (m + n) instead of m n numbers a member; "
        "measured is the CPU time to a given fitness."
    ),
    bytes=input_bytes,
)
