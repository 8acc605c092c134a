"""Formulas for constants from their digits (Razon et al. 2023, Automated Search for Conjectures on Constants).

Many constants have a continued fraction whose terms obey a linear recurrence, but often only after a Moebius map and
with signs in it. The paper's algorithm ESMA enumerates maps and signs, and lets Massey's algorithm find the recurrence
and approve it by the terms that it predicts.

Scaled down: maps with entries to 3 (the reference tries those to 2), signs of period 4, 32 to 40 digits; formulas are
verified to 400 digits.

Changed against the catalogue's sketch: several constants come in one call, 400 instead of 2,000 further digits decide,
and maps are smaller, so that a program takes a fraction of a second. Abstaining counts 0 for controls too.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
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
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....sandbox import MIB, Limits
from ..continued_fractions import CONTROLS, EXACT_DIGITS, Formula, agrees, known_constant, mapped_digits

KINDS = ("exponentials", "tangents", "defined")
KEYS = {"map", "signs", "initial", "recurrence"}
LONGEST = 40
"""Terms of a list in a formula."""
LARGEST = 10**20
WRONG = -0.5

STATEMENT = """
Find formulas for constants from their digits.

`find_formulas(constants, digits)` receives a list of decimal expansions (strings such as "2.7182...", positive, with
`digits` digits after the point, cut off) and returns a list as long: for each constant c a formula, or None to abstain.
A formula is a dict that says

(a c + b) / (a' c + b') = A_0 + s_1 / (A_1 + s_2 / (A_2 + s_3 / (A_3 + ...))):

- `"map"`: the integers [a, b, a', b'], with a b' - b a' not 0;
- `"signs"`: a list of 1 and -1, the s_1, s_2, ... from the first on, periodically repeated;
- `"initial"`: integers, the first terms A_0, A_1, ...;
- `"recurrence"`: [r_1, r_2, ...], integers or strings such as "1/2": all further terms are A_n = sum_i r_i A_(n-i).
  There are at least as many initial terms as r_i.

Lists have at most 40 items and integers at most 21 digits. The fraction never ends; all its terms must be integers.

**Measured.** Every formula is evaluated exactly and compared with 400 digits of the constant. One that agrees counts 1,
one that does not -0.5, None 0; mean over the constants of several lists, larger is better. The constants are classical
ones (exponentials, tangents, ratios of Bessel functions) or defined by a regular fraction with signs, all under hidden
Moebius maps with entries up to 3 in size; a few have no such formula. `digits` is 32 to 40. Only the standard library
and numpy may be used.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    count = {"smoke": 3, "default": 7, "gpu": 60}[size]
    made = []
    for kind in KINDS[-1:] if size == "smoke" else KINDS:
        digits = int(rng.integers(32, 41))
        sources = [known_constant(rng, kind) for _ in range(count)]
        if size != "smoke":
            sources[int(rng.integers(count))] = CONTROLS[int(rng.integers(len(CONTROLS)))]
        exact = [mapped_digits(rng, source) for source in sources]
        constants = [_decimals(value // 10 ** (EXACT_DIGITS - digits), digits) for value in exact]
        made.append(Instance(kind, {"constants": constants, "digits": digits}, exact))
    return made


def _decimals(value: int, digits: int) -> str:
    whole, part = divmod(value, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if not isinstance(output, list | tuple) or len(output) != len(instance.secret):
        return Verdict.invalid(f"the output must be a list of {len(instance.secret)} formulas or None")
    formulas = [None if item is None else _parsed(item) for item in output]
    values, orders = [], []
    for formula, exact in zip(formulas, instance.secret, strict=True):
        verified = formula is not None and agrees(formula, exact)
        values.append(0.0 if formula is None else 1.0 if verified else WRONG)
        orders += [len(formula.recurrence)] if formula is not None and verified else []
    return Verdict(
        valid=True,
        metrics={
            "found": float(np.mean(values)),
            "wrong": float(np.mean([value == WRONG for value in values])),
            "order": float(np.mean(orders)) if orders else 0.0,
        },
    )


def _parsed(item: Any) -> Formula:
    """The formula, checked. Raises: Rejected."""
    if not isinstance(item, dict) or set(item) != KEYS:
        raise Rejected("a formula must be a dict with the keys map, signs, initial and recurrence")
    entries, signs, initial = (_integers(item[name], name) for name in ("map", "signs", "initial"))
    if len(entries) != 4 or entries[0] * entries[3] == entries[1] * entries[2]:
        raise Rejected("map must be four integers with a determinant that is not 0")
    if not set(signs) <= {1, -1}:
        raise Rejected("signs must be 1 or -1")
    recurrence = item["recurrence"]
    if not isinstance(recurrence, list | tuple) or not 1 <= len(recurrence) <= len(initial):
        raise Rejected("recurrence must be a list that is not empty and not longer than initial")
    a, b, c, d = entries
    return Formula((a, b, c, d), signs, initial, tuple(_fraction(value) for value in recurrence))


def _integers(items: Any, name: str) -> tuple[int, ...]:
    if not isinstance(items, list | tuple) or not 1 <= len(items) <= LONGEST:
        raise Rejected(f"{name} must be a list of 1 to {LONGEST} integers")
    return tuple(_integer(item, name) for item in items)


def _integer(item: Any, name: str) -> int:
    if not isinstance(item, int) or isinstance(item, bool) or abs(item) > LARGEST:
        raise Rejected(f"{name} must hold integers of at most 21 digits")
    return item


def _fraction(item: Any) -> Fraction:
    if not isinstance(item, str):
        return Fraction(_integer(item, "recurrence"))
    above, _, below = item.partition("/")
    try:
        return Fraction(_integer(int(above[:25]), "recurrence"), _integer(int(below[:25] or "1"), "recurrence"))
    except (ValueError, ZeroDivisionError):
        raise Rejected("recurrence must hold integers or strings such as '1/2'") from None


task = Task(
    id="esma_continued_fractions",
    family="symbolic",
    title="Formulas for constants from their digits",
    paper=Paper("Automated Search for Conjectures on Mathematical Constants using Analysis of Integer Sequences", 2023),
    entry=Entry("def find_formulas(constants: list, digits: int) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("found", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("order", 0.0, 8.0, bins=8),
        Descriptor("wrong", 0.0, 1.0, bins=5),
        Descriptor("cpu_seconds", 0.005, 1.0, bins=6, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Enumerating maps and signs with Massey's algorithm finds known and new formulas that the simple continued "
        "fraction misses; measured is the share of constants with a formula that holds to 400 digits."
    ),
)
