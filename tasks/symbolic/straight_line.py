"""Straight-line programs of arithmetic operations as data: read strictly, run exactly, and measured against a target.

A program is a list of instructions ``(op, a, b)`` with ``op`` one of ``+ - * /``; an operand is ``"x"``, the index of
an earlier instruction, or a constant as a decimal string of at most 40 digits.
"""

from __future__ import annotations

import decimal
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ...evaluators import Verdict
from .workloads import Array, Target, values

Operand = str | int | Decimal
Instruction = tuple[str, Operand, Operand]

CONSTANT = re.compile(r"[+-]?(?P<digits>\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
CONSTANT_DIGITS = 40
MOST_DIGITS = 30.0
PIECES = 8


@dataclass(frozen=True)
class Truth:
    """The target at secret points (ascending), and what an error there is divided by."""

    points: Array
    values: list[Decimal]
    scales: list[Decimal]


def truth(target: Target, samples: list[str], points: Array) -> Truth:
    """Errors are relative, or where the samples change sign or vanish, divided by the largest size of the target."""
    fs, exact = list(map(Decimal, samples)), list(map(Decimal, values(target, points)))
    if min(fs) > 0 or max(fs) < 0:
        return Truth(points, exact, [abs(value) for value in exact])
    return Truth(points, exact, [max(abs(value) for value in fs)] * len(exact))


def judged(output: Any, max_ops: int, truth: Truth) -> Verdict:
    """Correct digits of a program of at most ``max_ops`` operations, between 0 and 30."""
    program, fault = _parse(output, max_ops)
    if fault:
        return Verdict.invalid(fault)
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
    return Verdict(
        valid=True,
        metrics={
            "digits": min(max(digits, 0.0), MOST_DIGITS),
            "operations": float(len(program)),
            "divisions": float(sum(op == "/" for op, _, _ in program)),
            "depth": float(_depths(program)[-1]),
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
