"""Better numbers for a program of the same form."""

import ast
import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from speciate.agents import Brief, Candidate, NoProposal, Operator, Proposal
from speciate.agents.tuning import TuningProposer
from speciate.agents.tuning.template import Template
from speciate.archive import Program
from speciate.evaluators import Evaluation, Interval, State

SOURCE = """import numpy as np

KEPT = 3.0
# EVOLVE-BLOCK-START
RATE = 0.2
SIGN = -1.5  # with its sign
MOMENTUM = 0.9
STEPS = 12


def solve(x, n):
    for t in range(5):
        x = x[0:4] + RATE * np.sum(x, axis=1) ** 2 * (t + 1)
    return x * MOMENTUM + SIGN


# EVOLVE-BLOCK-END
"""


def scored(source: str, score: float | None) -> Candidate:
    state = State.CRASHED if score is None else State.VALID
    interval = None if score is None else Interval(low=score, high=score)
    return Candidate(Program.of(source), Evaluation(state=state, size="default", score=score, interval=interval))


def propose(brief: Brief) -> Proposal:
    return asyncio.run(TuningProposer().propose(brief))


def numbers(source: str) -> list[float]:
    """The module's own numbers, in order."""
    assigned = (node.value for node in ast.parse(source).body if isinstance(node, ast.Assign))
    return [ast.literal_eval(value) for value in assigned]


def test_only_numbers_that_mean_something_change(make_brief: Callable[..., Brief]) -> None:
    parent = scored(SOURCE, 0.0)
    brief = replace(make_brief(SOURCE), parents=(parent,), relatives=(parent,))
    proposal = propose(brief)
    kept, rate, sign, momentum, steps = numbers(proposal.program.source)
    assert proposal.operator is Operator.TUNE
    assert proposal.detail == "cma_es[4]"
    assert (kept, isinstance(steps, int)) == (3.0, True)
    assert sign < 0 < rate
    assert 0 < momentum < 1
    assert (rate, sign, momentum) != (0.2, -1.5, 0.9)
    assert "x[0:4] + RATE * np.sum(x, axis=1) ** 2 * (t + 1)" in proposal.program.source
    assert "# with its sign" in proposal.program.source
    assert proposal.program.form == Program.of(SOURCE).form


def test_a_marker_inside_a_function_keeps_the_numbers_outside_it(make_brief: Callable[..., Brief]) -> None:
    start, end = "# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END"
    source = f"def solve(x, n):\n    a = 2.5\n    {start}\n    b = 1.5\n    {end}\n    return a * b\n"
    template = Template.of(Program.of(source), make_brief(source).task)
    assert [slot.value for slot in template.slots] == [1.5]


def test_the_same_brief_gives_the_same_program_from_a_new_proposer(make_brief: Callable[..., Brief]) -> None:
    history = tuple(scored(SOURCE.replace("0.2", f"0.{digit}"), -digit) for digit in range(2, 9))
    first, again = (
        propose(replace(make_brief(SOURCE, seed=3), parents=(history[0],), relatives=history)) for _ in range(2)
    )
    assert first.program.source == again.program.source


def test_programs_that_failed_or_differ_elsewhere_do_not_disturb(make_brief: Callable[..., Brief]) -> None:
    parent = scored(SOURCE, 0.0)
    others = (scored(SOURCE.replace("0.2", "0.3"), None), scored(SOURCE.replace("axis=1", "axis=0"), 9.0))
    proposal = propose(replace(make_brief(SOURCE), parents=(parent,), relatives=(parent, *others)))
    assert proposal.parents == (parent.program.id,)
    assert "axis=1" in proposal.program.source


@pytest.mark.parametrize("source", ["def solve(x, n):\n    return x[1] + n\n", "def solve(x, n):\n    return (\n"])
def test_a_program_without_numbers_has_no_proposal(source: str, make_brief: Callable[..., Brief]) -> None:
    with pytest.raises(NoProposal):
        propose(make_brief(source))


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_numbers(seed: int, make_brief: Callable[..., Brief]) -> None:
    """Three numbers, each off by a factor of about three; 60 evaluations, four of them always on their way."""
    target = np.log([0.7, 0.3, 4.0])

    def score(source: str) -> float:
        return -float(np.sum((np.log(numbers(source)) - target) ** 2))

    source = "A = 0.2\nB = 1.0\nC = 1.5\n\n\ndef solve(x, n):\n    return A * x + B * n + C\n"
    history = [scored(source, score(source))]
    flying: list[str] = []
    for index in range(60):
        parent = max(history, key=lambda shown: shown.evaluation.score or 0.0)
        brief = replace(make_brief(source, seed=1000 * seed + index), parents=(parent,), relatives=tuple(history))
        flying.append(propose(brief).program.source)
        if len(flying) == 4:
            landed = flying.pop(0)
            history.append(scored(landed, score(landed)))
    assert max(shown.evaluation.score for shown in history if shown.evaluation.score is not None) > -0.2
    assert history[0].evaluation.score is not None
    assert history[0].evaluation.score < -3
