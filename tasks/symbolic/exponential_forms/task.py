"""Which ten operations make an exponential? (AutoNumerics-Zero, with the fit of the constants taken off the search.)

The paper evolves straight-line programs of a few operations for e^x, the constants of each tuned by an inner optimiser.
Here, too, a program is only its form: a helper fits the constants. What is searched for are the operations.

Scaled down: the inner optimiser is a damped least-squares fit of some 50 ms instead of an evolution strategy. Beside
the paper's 2^x on [0, 1] a form has to serve for random intervals. That a program knows its constants by heart is no
cheat here: they make an approximation like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
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
from ....sandbox import MIB, Limits
from ..straight_line import judged, truth
from ..workloads import FIT_NODES, Target, chebyshev_points, test_points, values

MOST_OPERATIONS = 10

STATEMENT = """
Find a form of at most ten arithmetic operations that approximates exponentials.

`approximate(xs, fs)` gets samples of 2^x on an interval: `xs` float64 (97,) Chebyshev points, both
ends included, and `fs`, the values there as decimal strings of 40 digits. It returns a straight-line program: a list of
at most ten instructions `(op, a, b)` with `op` one of `"+"`, `"-"`, `"*"`, `"/"`. An operand is `"x"`, the int index of
an earlier instruction, or a constant as a decimal string of at most 40 digits. The last instruction's value is the
approximation.

`helpers.forms.fitted(form, xs, fs)` makes such a list from a Python function of `x` that adds, subtracts, multiplies,
divides and takes whole powers: every number in it is a constant that is fitted to the samples, from the number that
stands there. What is computed twice counts once, and what is not needed does not count.

**Measured.** The program is run in 40-digit arithmetic at secret points of the interval. The error is the largest
relative error; the objective is the mean number of correct digits, -log10(error), over [0, 1] and some
intervals of length 0.8 to 1.1 around 0.

**Rules.** No divisor may come near zero anywhere in the interval (checked by interval arithmetic on short pieces). A
run in 60-digit arithmetic must agree within 1 % of the error. CPU: 0.3 s a call.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    low, width = rng.uniform(-0.6, 0.0, 3), rng.uniform(0.8, 1.1, 3)
    spans = [(0.0, 1.0), *zip(low.tolist(), (low + width).tolist(), strict=True)]
    count = {"smoke": 1, "default": 3, "gpu": 4}[size]
    targets = [Target("exp2", start, end, _power) for start, end in spans[:count]]
    return [_instance(f"span-{k}", target, rng) for k, target in enumerate(targets)]


def _power(x: Any) -> Any:
    return mpmath.mpf(2) ** x


def _instance(name: str, target: Target, rng: np.random.Generator) -> Instance:
    xs = chebyshev_points(target.low, target.high, FIT_NODES)
    fs = values(target, xs)
    return Instance(name, {"xs": xs, "fs": fs}, truth(target, fs, test_points(target, rng)))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    verdict = judged(output, MOST_OPERATIONS, instance.secret)
    if not verdict.valid:
        return verdict
    # Each start ends the fit at a slightly different place, which is no merit of a form.
    return Verdict(valid=True, metrics={**verdict.metrics, "digits": round(verdict.metrics["digits"], 2)})


task = Task(
    id="exponential_forms",
    family="symbolic",
    title="Ten operations for an exponential",
    paper=Paper("AutoNumerics-Zero: Automated Discovery of State-of-the-Art Mathematical Functions", 2023),
    entry=Entry("def approximate(xs: np.ndarray, fs: list[str]) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("digits", Direction.MAXIMIZE, "linear", unit="digits"),
    descriptors=(
        Descriptor("divisions", 0.0, 4.0, bins=4),
        Descriptor("operations", 2.0, 10.0, bins=8),
        Descriptor("depth", 2.0, 10.0, bins=4),
    ),
    kind="both",
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.3, wall_seconds=5.0, memory_bytes=512 * MIB, output_bytes=MIB),
        imports=("numpy",),
    ),
    claim=(
        "Evolved programs of ten operations give an exponential to 14 digits, where a polynomial gives 7; measured "
        "is the mean number of digits over some intervals."
    ),
)
