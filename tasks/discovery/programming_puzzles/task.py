"""Programming puzzles (Schuster et al. 2021): find an input that makes a short program true.

The paper's solvers enumerate programs by a grammar with a copy rule, guided by what was solved before; without a
language model they are its baselines, and bootstrapping is its best.

Scaled down: 20 templates written anew, on ints, words and lists of ints; no language model and no open problems.

Changed against the catalogue's sketch: answers are checked in batches, and a puzzle is solved when an answer that was
checked is right, so that nothing is returned. An instance holds 14 of the 20 templates. The baseline copies numbers and
words of the puzzle (with fixed constants alone it solved next to none), so that what the reference gains is a richer
grammar in the order of its costs. The prior is over single rules, not pairs of them, and bootstrapping it did not help:
one round solved as much as three. That part of the claim did not reproduce on these puzzles.
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
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....sandbox import MIB, Limits
from .. import puzzles
from ..puzzles import Puzzle

STATEMENT = """
Solve puzzles that are given as short programs: find an x for which the program is true.

`solve(oracle, puzzles, budget)`: `puzzles` is a list of dicts with `source`, a Python expression in x such as
`x + 20 == 57` or `x.count('ab') == 3`, and `kind`, the type that x must have: `"int"`, `"str"` or `"list"` (of ints).
`oracle.check(number, answers)` takes the place of a puzzle in the list and a list of answers, and tells for each
whether it is right, as a list of bools; it costs one unit an answer, and all calls together at most `budget`. Nothing
is returned: a puzzle is solved once a right answer to it was checked.

**Measured.** The share of the puzzles solved, mean over the instances, larger is better. Puzzles are arithmetic
(equations, remainders, factors), words (palindromes, repetitions, completions) and lists (orders, sums, extremes);
about a third cannot be answered by a short formula of their constants. Templates and constants differ from run to run.
There are 14 puzzles, and `budget` is 1,400.

**Rules.** Ints are at most 10^9 in size, words and lists at most 200 long; other answers are wrong. A malformed call is
refused with an exception; so is one that the rest of the budget does not cover. A program that checks nothing is
invalid.
"""


class Checker(Oracle):
    methods = ("check",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["budget"])
        self._puzzles: Sequence[Puzzle] = instance.secret

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return float(max(len(args[1]), 1)) if len(args) == 2 and isinstance(args[1], list) else 1.0

    def check(self, *args: Any) -> list[bool]:
        if len(args) != 2 or type(args[0]) is not int or not 0 <= args[0] < len(self._puzzles):
            raise OracleRefused("check takes the number of a puzzle and a list of answers")
        if not isinstance(args[1], list):
            raise OracleRefused("the answers must be a list")
        return [puzzles.solves(self._puzzles[args[0]], answer) for answer in args[1]]


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    count, copies = {"smoke": (6, 2), "default": (14, 6), "gpu": (20, 20)}[size]
    made = []
    for copy in range(copies):
        chosen = rng.choice(len(puzzles.TEMPLATES), count, replace=False)
        posed = [puzzles.TEMPLATES[int(k)](rng) for k in chosen]
        inputs = {"puzzles": [{"kind": one.kind, "source": one.source} for one in posed], "budget": 100 * count}
        made.append(Instance(f"puzzles of draw {copy}", inputs, posed))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    posed: list[Puzzle] = instance.secret
    calls = log.calls if log else []
    if not calls:
        return Verdict.invalid("no answer was checked")
    solved = {call.args[0] for call in calls if any(call.reply)}
    spent = sum(call.cost for call in calls)
    return Verdict(
        valid=True,
        metrics={
            "solved": len(solved) / len(posed),
            "ints": _share(posed, solved, "int"),
            "used": spent / instance.inputs["budget"],
        },
        note=f"{len(solved)} of {len(posed)} solved",
    )


def _share(posed: list[Puzzle], solved: set[int], kind: str) -> float:
    """Of the puzzles of a kind that are solved, 0 where there are none."""
    ours = [number in solved for number, puzzle in enumerate(posed) if puzzle.kind == kind]
    return float(np.mean(ours)) if ours else 0.0


task = Task(
    id="programming_puzzles",
    family="discovery",
    title="Programming puzzles",
    paper=Paper("Programming Puzzles", 2021),
    entry=Entry("def solve(oracle: Oracle, puzzles: list, budget: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("solved", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("ints", 0.0, 1.0, bins=6),
        Descriptor("used", 0.0, 1.0, bins=6),
        Descriptor("code_size", 50, 1500, bins=8, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Checker,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Guided enumeration solves far more puzzles than uniform enumeration in equally many tries; measured is the "
        "share solved with 100 tries a puzzle."
    ),
)
