"""Answers to counting problems from small cases (Sun et al. 2025, Enumerate-Conjecture-Prove).

Competition problems ask for a closed form. In the paper a language model enumerates cases by programs, conjectures an
answer from them and proves it, in the place of guessing it at once.

Scaled down: statements in words and proofs in Lean are left out; problems are drawn from families of counting problems
and an answer is checked at a hundred terms.

Changed against the catalogue's sketch: the answer is a recurrence with polynomial coefficients, as data, which has all
families of the row (closed forms, cases by residue, floors of quadratics) in it and needs no parser; problems have no
text. One call of a program answers eight problems, one of which has no answer in this language.
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
    Oracle,
    OracleRefused,
    Paper,
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....sandbox import MIB, Limits
from .. import sequences

WRONG = 0.25
CHECKED = 100
MOST_FIRST, MOST_ORDER, MOST_DEGREE = 24, 24, 4
LARGEST = 10**60
PLAN: tuple[tuple[sequences.Generator, ...], ...] = (
    (sequences.polynomial,),
    (sequences.polynomial,),
    (sequences.polynomial,),
    (sequences.partitions, sequences.floors),
    (sequences.walks,),
    (sequences.walks, sequences.partitions),
    (sequences.motzkin, sequences.matchings),
    (sequences.divisors, sequences.digits),
)
"""Generators among which each problem's is drawn."""

STATEMENT = """
Answer counting problems from small cases: find the rule of an integer sequence a(1), a(2), ...

`construct(oracle, count, budget)` is given `count` problems, numbered from 0. `oracle.term(problem, n)` is the exact
a(n), an int, counted case by case: it costs n^2 units, and each problem has `budget` units of its own. Return a list of
`count` answers; an answer is `None` (abstain) or a recurrence with polynomial coefficients,

`{"first": [a(1), ..., a(k)], "coefficients": C}` with integers C[i][j], i = 0 ... r, meaning that

sum over i and j of C[i][j] n^j a(n + i) = 0 for every n >= 1,

where k >= r, and the factor of a(n + r) is never 0. At most 24 first terms, r at most 24, j at most 4; rows of C have
equal length, and integers at most 60 digits.

**Measured.** An answer that gives the first 100 terms exactly counts 1, one that does not -0.25, abstaining 0; mean
over the problems, then over the instances, larger is better.

**The problems.** Mostly values of polynomials, tilings and words with forbidden neighbours, ways to pay, floors of
quadratics, lattice paths, matchings; for some problems no such recurrence exists. `count` is 8, and `budget` 3,000 to
9,000 units.

**Rules.** A call with other than ints of these problems, n >= 1, is refused with an exception; so is one that the rest
of the problem's budget does not cover.
"""


class Counter(Oracle):
    methods = ("term",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self._terms: list[list[int]] = instance.secret
        self._left = [instance.inputs["budget"]] * len(self._terms)

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return float(args[1]) ** 2 if _asked(args, len(self._terms)) else 1.0

    def term(self, *args: Any) -> int:
        if not _asked(args, len(self._terms)):
            raise OracleRefused("term takes the number of a problem and n, 1 or more")
        problem, n = args
        if n**2 > self._left[problem]:
            raise OracleRefused(f"the budget of problem {problem} does not cover a case of size {n}")
        self._left[problem] -= n**2
        return self._terms[problem][n - 1]


def _asked(args: tuple[Any, ...], problems: int) -> bool:
    return (
        len(args) == 2 and all(type(arg) is int for arg in args) and 0 <= args[0] < problems and 1 <= args[1] <= CHECKED
    )


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    low, high, copies = {"smoke": (3000, 3001, 2), "default": (3000, 9000, 5), "gpu": (3000, 9000, 20)}[size]
    made = []
    for copy in range(copies):
        kinds = [choices[int(rng.integers(len(choices)))] for choices in PLAN]
        order = rng.permutation(len(kinds))
        terms = [kinds[k](rng, CHECKED) for k in order]
        inputs = {"count": len(terms), "budget": int(rng.integers(low, high))}
        made.append(Instance(f"problems of draw {copy}", inputs, terms))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    problems: list[list[int]] = instance.secret
    if not isinstance(output, list | tuple) or len(output) != len(problems):
        return Verdict.invalid(f"there must be a list of {len(problems)} answers")
    right = [
        None if answer is None else _is_right(answer, terms) for answer, terms in zip(output, problems, strict=True)
    ]
    counts = {value: right.count(value) / len(right) for value in (True, False, None)}
    calls = log.calls if log else []
    return Verdict(
        valid=True,
        metrics={
            "points": counts[True] - WRONG * counts[False],
            "abstained": counts[None],
            "terms": len(calls) / len(problems),
        },
        note=f"{right.count(True)} right, {right.count(False)} wrong, {right.count(None)} abstained",
    )


def _is_right(answer: Any, terms: list[int]) -> bool:
    """Raises: Rejected where the answer is none."""
    if not isinstance(answer, dict) or set(answer) != {"first", "coefficients"}:
        raise Rejected("an answer must be None or a dict with first and coefficients")
    first = _integers(answer["first"], MOST_FIRST, "first")
    rows = answer["coefficients"]
    if not isinstance(rows, list | tuple) or not 1 <= len(rows) <= MOST_ORDER + 1:
        raise Rejected(f"coefficients must be a list of 1 to {MOST_ORDER + 1} rows")
    coefficients = [_integers(row, MOST_DEGREE + 1, "a row of coefficients") for row in rows]
    if len({len(row) for row in coefficients}) > 1 or not coefficients[0]:
        raise Rejected("the rows of coefficients must have equal length, at least 1")
    if len(first) < len(coefficients) - 1:
        raise Rejected("there must be as many first terms as the recurrence's order")
    if not any(map(any, coefficients[:-1])) and len(coefficients) > 1:
        raise Rejected("a recurrence must refer to earlier terms")
    return sequences.extended(first, coefficients, CHECKED) == terms


def _integers(value: Any, most: int, name: str) -> list[int]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise Rejected(f"{name} must be a list of at most {most} integers")
    if not all(type(item) is int and abs(item) <= LARGEST for item in value):
        raise Rejected(f"{name} must hold integers of at most 60 digits")
    return list(value)


task = Task(
    id="enumerate_conjecture_prove",
    family="discovery",
    title="Answers from small cases",
    paper=Paper("Enumerate-Conjecture-Prove: Formally Solving Answer-Construction Problems in Math Competitions", 2025),
    entry=Entry("def construct(oracle: Oracle, count: int, budget: int) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("points", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("abstained", 0.0, 1.0, bins=6),
        Descriptor("terms", 1.0, 40.0, bins=8),
        Descriptor("code_size", 50, 1500, bins=8, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Counter,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Enumerating, conjecturing and checking answers 45.1 % of problems where direct answers reach 14.5 %; measured "
        "is the share of right answers less a quarter of the wrong ones."
    ),
)
