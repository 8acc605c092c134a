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

import decimal
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
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
from ..workloads import FIT_NODES, Target, chebyshev_points, composed_targets, named_targets, test_points, values

Array = np.ndarray[Any, Any]
Operand = str | int | Decimal
Instruction = tuple[str, Operand, Operand]

CONSTANT = re.compile(r"[+-]?(?P<digits>\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
CONSTANT_DIGITS = 40
MOST_DIGITS = 30.0
PIECES = 8

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


@dataclass(frozen=True)
class Truth:
    points: Array
    values: list[Decimal]
    scales: list[Decimal]


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
    xs, points = chebyshev_points(target.low, target.high, FIT_NODES), test_points(target, rng)
    fs, exact = values(target, xs), [Decimal(value) for value in values(target, points)]
    samples = [Decimal(value) for value in fs]
    if min(samples) > 0 or max(samples) < 0:
        scales = [abs(value) for value in exact]
    else:
        scales = [max(abs(value) for value in samples)] * len(exact)
    inputs = {
        "target": target.name,
        "lo": target.low,
        "hi": target.high,
        "max_ops": max_ops,
        "xs": xs,
        "fs": fs,
        "cpu_seconds": seconds,
    }
    return Instance(name, inputs, Truth(points, exact, scales))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    program, fault = _parse(output, instance.inputs["max_ops"])
    if fault:
        return Verdict.invalid(fault)
    truth: Truth = instance.secret
    if not _divisors_clear(program, truth.points):
        return Verdict.invalid("a divisor may vanish, or a value overflow, inside the interval")
    try:
        shorter, longer = _run(program, truth.points, 40), _run(program, truth.points, 60)
        error = max(abs(v - f) / s for v, f, s in zip(shorter, truth.values, truth.scales, strict=True))
        drift = max(abs(v - u) / s for v, u, s in zip(shorter, longer, truth.scales, strict=True))
    except decimal.DecimalException:
        return Verdict.invalid("the arithmetic overflows")
    if not drift <= error / 100:
        return Verdict.invalid("the program needs more than 40 digits: 40- and 60-digit arithmetic disagree")
    digits = MOST_DIGITS if error == 0 else float(-error.log10())
    depths = _depths(program)
    return Verdict(
        valid=True,
        metrics={
            "digits": min(max(digits, 0.0), MOST_DIGITS),
            "operations": float(len(program)),
            "divisions": float(sum(op == "/" for op, _, _ in program)),
            "depth": float(depths[-1]),
        },
    )


def _parse(output: Any, max_ops: int) -> tuple[list[Instruction], str]:
    if not isinstance(output, list | tuple) or not 1 <= len(output) <= max_ops:
        return [], f"the output must be a list of 1 to {max_ops} instructions"
    program: list[Instruction] = []
    for k, item in enumerate(output):
        if not isinstance(item, list | tuple) or len(item) != 3 or item[0] not in ("+", "-", "*", "/"):
            return [], f"instruction {k} must be (op, a, b) with op one of + - * /"
        left, right = _operand(item[1], k), _operand(item[2], k)
        if left is None or right is None:
            return [], f"instruction {k}: an operand is 'x', an earlier index, or a decimal string of at most 40 digits"
        program.append((item[0], left, right))
    return program, ""


def _operand(value: Any, k: int) -> Operand | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < k else None
    if not isinstance(value, str) or len(value) > CONSTANT_DIGITS + 10:
        return None
    if value == "x":
        return value
    match = CONSTANT.fullmatch(value)
    if match is None or len(match["digits"].replace(".", "")) > CONSTANT_DIGITS:
        return None
    return Decimal(value)


def _run(program: list[Instruction], points: Array, digits: int) -> list[Decimal]:
    """The program's values at the points. Raises: decimal.DecimalException."""
    context = decimal.Context(prec=digits, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow])
    steps = {"+": context.add, "-": context.subtract, "*": context.multiply, "/": context.divide}
    x = [Decimal(point) for point in points.tolist()]
    done: list[list[Decimal]] = []
    for op, left, right in program:
        a, b = (_at(v, x, done) for v in (left, right))
        done.append(list(map(steps[op], a, b)))
    return done[-1]


def _at(value: Operand, x: list[Decimal], done: list[list[Decimal]]) -> list[Decimal]:
    if isinstance(value, int):
        return done[value]
    return [value] * len(x) if isinstance(value, Decimal) else x


def _divisors_clear(program: list[Instruction], points: Array) -> bool:
    """Whether every divisor stays away from zero on the whole interval, cut finely, by outward rounded intervals."""
    spans = len(points) - 1
    cuts = np.interp(np.arange(spans * PIECES + 1) / PIECES, np.arange(spans + 1), points)
    x = (cuts[:-1], cuts[1:])
    done: list[tuple[Array, Array]] = []
    with np.errstate(all="ignore"):
        for op, left, right in program:
            (a, b), (c, d) = (_span(v, x, done) for v in (left, right))
            if op == "/":
                if not np.all((c > 0) | (d < 0)):
                    return False
                c, d = np.nextafter(1 / d, -np.inf), np.nextafter(1 / c, np.inf)
            if op == "+":
                low, high = a + c, b + d
            elif op == "-":
                low, high = a - d, b - c
            else:
                corners = (a * c, a * d, b * c, b * d)
                low, high = np.min(corners, axis=0), np.max(corners, axis=0)
            done.append((np.nextafter(low, -np.inf), np.nextafter(high, np.inf)))
    return all(bool(np.isfinite(low).all() and np.isfinite(high).all()) for low, high in done)


def _span(value: Operand, x: tuple[Array, Array], done: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    if isinstance(value, int):
        return done[value]
    if isinstance(value, Decimal):
        low, high = np.nextafter(float(value), [-np.inf, np.inf])
        return np.full_like(x[0], low), np.full_like(x[0], high)
    return x


def _depths(program: list[Instruction]) -> list[int]:
    depths: list[int] = []
    for _, left, right in program:
        depths.append(1 + max(depths[v] if isinstance(v, int) else 0 for v in (left, right)))
    return depths


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
