"""Approximate functions by very short arithmetic programs (AutoNumerics-Zero).

The paper evolves straight-line programs of a few arithmetic operations from nothing, with the constants of each tuned
by an inner optimiser, and finds e^x to many digits in fewer operations than any known form.

Scaled down: hours of open-ended evolution become a search of less than 0.1 s per function, mostly over a family that
contains what such searches find. The floating-point variant (speed, units in the last place) is left out.

Changed against the catalogue's sketch: samples at 97 Chebyshev points replace the counted callable, because a fit uses
no others and a plain function needs no round trips; 400 test nodes instead of 2,500 (a degree of at most 24 has its
error peaks well inside them); where the target has a zero, the error is divided by its largest value, so that digits
do not depend on the target's size.
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
from ....sandbox import MIB, Limits
from ..straight_line import judged, truth
from ..workloads import FIT_NODES, Target, chebyshev_points, composed_targets, named_targets, test_points, values

STATEMENT = """
Approximate a function by a program of very few arithmetic operations.

`approximate(target, lo, hi, max_ops, xs, fs, cpu_seconds)` gets the function's name (`"exp2"` is 2^x, `"log2_1p"` is
log2(1 + x), `"airy_ai"`, `"bessel_j0"`, ...; `"composed"` where only the samples tell), its interval [`lo`, `hi`], and
samples: `xs` float64 (97,) Chebyshev points, both ends included, and `fs`, the values there as decimal strings of 40
digits.

Return a straight-line program: a list of at most `max_ops` instructions `(op, a, b)` with `op` one of `"+"`, `"-"`,
`"*"`, `"/"`. An operand is `"x"`, the int index of an earlier instruction, or a constant as a decimal string of at most
40 digits (`"-1.25"`, `"3.1e-5"`). The last instruction's value approximates the target. Every instruction counts, used
or not.

**Measured.** The program is run in 40-digit arithmetic at secret points of the interval, among them the ends. The error
is the largest relative error, or where the samples change sign or vanish, the largest absolute error divided by the
largest size of the target. The objective is the mean number of correct digits, -log10(error), over all functions,
between 0 and 30 each.

**Rules.** No divisor may come near zero anywhere in [`lo`, `hi`] (checked by interval arithmetic on short
pieces). A run in 60-digit arithmetic must agree within 1 % of the error. CPU: plan for `cpu_seconds` (at
most 0.08) by `time.process_time()` from the call on; the process is killed at 0.26 s.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    named, composed = named_targets(rng), composed_targets(rng)
    if size == "smoke":
        chosen, budgets, seconds = [named[0], composed[1]], [6, 6], 0.03
    else:
        others = [int(k) for k in 1 + rng.permutation(5)[:3]]
        unnamed = [int(k) for k in rng.permutation(6)[:4]]
        chosen = [named[0], *(named[k] for k in others), *(composed[k] for k in unnamed)]
        budgets, seconds = [10, 7, 10, 12, 7, 10, 10, 12], 0.08
        if size == "gpu":
            budgets = [12, 9, 12, 14, 9, 12, 12, 14]
    return [
        _instance(f"{target.name}-{k}", target, budget, seconds, rng)
        for k, (target, budget) in enumerate(zip(chosen, budgets, strict=True))
    ]


def _instance(name: str, target: Target, max_ops: int, seconds: float, rng: np.random.Generator) -> Instance:
    xs = chebyshev_points(target.low, target.high, FIT_NODES)
    fs = values(target, xs)
    inputs = {
        "target": target.name,
        "lo": target.low,
        "hi": target.high,
        "max_ops": max_ops,
        "xs": xs,
        "fs": fs,
        "cpu_seconds": seconds,
    }
    return Instance(name, inputs, truth(target, fs, test_points(target, rng)))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    return judged(output, instance.inputs["max_ops"], instance.secret)


task = Task(
    id="autonumerics_zero",
    family="symbolic",
    title="Functions from a handful of operations",
    paper=Paper("AutoNumerics-Zero: Automated Discovery of State-of-the-Art Mathematical Functions", 2023),
    entry=Entry(
        "def approximate(target: str, lo: float, hi: float, max_ops: int, xs: np.ndarray, fs: list[str],"
        " cpu_seconds: float) -> list"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("digits", Direction.MAXIMIZE, "linear", unit="digits"),
    descriptors=(
        Descriptor("divisions", 0.0, 4.0, bins=8),
        Descriptor("depth", 4.0, 12.0, bins=8),
        Descriptor("operations", 4.0, 12.0, bins=4),
    ),
    kind="both",
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.26, wall_seconds=5.0, memory_bytes=512 * MIB, output_bytes=MIB),
        imports=("numpy", "mpmath"),
    ),
    claim=(
        "Evolved programs reach digits far beyond known approximations at the same number of operations; measured here "
        "is the mean number of digits against minimax polynomials."
    ),
)
