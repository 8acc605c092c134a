"""Simplification: what does not matter is removed from a program, with its score as the judge of what matters."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..agents.symbolic.names import review
from ..archive import MAIN, Evaluated, Event, Program, Proposed, RunState
from ..archive.state import SIMPLIFY
from ..evaluators import Calibration, Evaluation, Evaluator, State, TaskFolder, calibrate
from ..sandbox import Backend, open_sandbox
from .reduction import Statement, Statements, ddmin, smaller
from .rules import Rules
from .secrets import certification_secret

TOLERANCE = 0.01
"""How much score a smaller program may lose: a hundredth of the way from the baseline to the paper's method."""

MAX_EVALUATIONS = 60
SHARE = 0.2
"""Evaluations of one simplification, at most, and as a share of those of the search. They come on top of its budget."""

PURPOSE = "simplify"
LAST = 3
"""Evaluations kept for the end: both programs on fresh instances, and the smaller one's own."""


@dataclass(frozen=True, slots=True)
class Simplification:
    """``program`` is what is left of ``original``, ``evaluation`` its own; sizes in nodes of the syntax tree."""

    original: str
    program: Program
    evaluation: Evaluation
    size_before: int
    evaluations: int


def allowance(state: RunState) -> int:
    """Evaluations that the last step of a run may take."""
    return min(MAX_EVALUATIONS, round(SHARE * state.evaluations))


def not_worse(evaluation: Evaluation, standard: Evaluation, tolerance: float = TOLERANCE) -> bool:
    """Whether a score and the lower end of its interval are at most ``tolerance`` below the standard's."""
    if evaluation.state is not State.VALID or standard.state is not State.VALID:
        return False
    pairs = [(evaluation.score, standard.score)]
    if evaluation.interval is not None and standard.interval is not None:
        pairs.append((evaluation.interval.low, standard.interval.low))
    return all(mine is not None and its is not None and mine >= its - tolerance for mine, its in pairs)


class Oracle:
    """Says whether a smaller program keeps the score, on the instances that the original was scored on.

    What breaks the rules or reads names that nothing defines costs no evaluation, and nothing is evaluated twice.
    After ``most`` evaluations the answer to everything new is no.
    """

    def __init__(self, evaluator: Evaluator, rules: Rules, original: Program, standard: Evaluation, most: int) -> None:
        self._evaluator = evaluator
        self._rules = rules
        self._original = original
        self._standard = standard
        self._most = most
        self._undefined = _undefined(original.source)
        self._known: dict[str, bool] = {original.id: True}
        self.evaluations = 0

    def keeps(self, source: str) -> bool:
        program = Program({**self._original.files, MAIN: source})
        if program.id not in self._known:
            if not self._plausible(program):
                return False
            if self.evaluations >= self._most:
                return False
            self.evaluations += 1
            self._known[program.id] = not_worse(self.measured(program.files), self._standard)
        return self._known[program.id]

    def measured(self, files: Mapping[str, str]) -> Evaluation:
        """Under the original's name, so that tasks with instances for each program give those of the original."""
        return self._evaluator.evaluate(files, self._original.id)

    def _plausible(self, program: Program) -> bool:
        undefined = _undefined(program.source)
        return undefined is not None and undefined <= (self._undefined or undefined) and not self._broken(program)

    def _broken(self, program: Program) -> bool:
        return program.size >= self._original.size or bool(self._rules.violations(program.files))


def _undefined(source: str) -> frozenset[str] | None:
    """Names that are read and never bound; None for what does not parse."""
    try:
        return review(ast.parse(source), ()).undefined
    except (SyntaxError, ValueError, RecursionError):
        return None


def reduced(source: str, keeps: Callable[[str], bool]) -> str:
    """Statements first, then expressions, each until nothing more can go; ``keeps`` is asked what may be left."""
    statements = Statements(source)

    def without(kept: Sequence[Statement]) -> str:
        return statements.without(frozenset(statements.removable) - frozenset(kept))

    source = without(ddmin(statements.removable, lambda kept: keeps(without(kept))))
    while (simpler := next((text for text in smaller(source) if keeps(text)), None)) is not None:
        source = simpler
    return source


def simplify(
    folder: TaskFolder,
    state: RunState,
    original: str,
    *,
    secret: bytes,
    calibration: Calibration,
    backend: Backend = Backend.BUBBLEWRAP,
    most: int = MAX_EVALUATIONS,
) -> Simplification | None:
    """The smallest program found that keeps the score of ``original``, also on fresh instances; None for none.

    ``most`` counts evaluations. Raises: NoJail, TaskError.
    """
    program, standard = state.program(original), state.evaluation_of(original)
    if standard.state is not State.VALID or most <= LAST:
        return None
    with contextlib.closing(open_sandbox(folder.spec(backend))) as sandbox:
        evaluator = Evaluator(folder, sandbox, secret, calibration)
        oracle = Oracle(evaluator, Rules(folder.task, folder.baseline), program, standard, most - LAST)
        smaller_one = Program({**program.files, MAIN: reduced(program.source, oracle.keeps)})
        known = state.evaluation_or_none(smaller_one.id)
        repeats = known is None and state.seen(smaller_one.id)  # dropped, and what is dropped is not proposed again
        if smaller_one.size >= program.size or repeats:
            return None
        fresh = certification_secret(secret)
        judge = Evaluator(folder, sandbox, fresh, calibrate(folder, sandbox, fresh, purpose=PURPOSE))
        again = [judge.evaluate(one.files, original) for one in (program, smaller_one)]
        evaluation = known or evaluator.evaluate(smaller_one.files, smaller_one.id)
        if not (not_worse(again[1], again[0]) and not_worse(evaluation, standard)):
            return None
        return Simplification(original, smaller_one, evaluation, program.size, oracle.evaluations + LAST)


def events(result: Simplification, state: RunState, conductor: int) -> list[Event]:
    """What the journal is told of a simplification; nothing where the run already has that program."""
    if state.seen(result.program.id):
        return []
    index = state.next_index(conductor)
    proposed = Proposed(
        index=index,
        island=state.proposals[result.original].island,
        files=dict(result.program.files),
        program=result.program.id,
        parents=(result.original,),
        operator=SIMPLIFY,
        proposer="simplification",
        detail=f"{result.size_before} to {result.program.size} nodes",
        rationale=f"{result.evaluations} evaluations, at most {TOLERANCE} of score lost",
    )
    return [proposed, Evaluated(index=index, evaluation=result.evaluation)]
