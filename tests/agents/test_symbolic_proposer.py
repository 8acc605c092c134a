"""What holds for every proposal."""

import ast
import asyncio
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from speciate.agents import NoProposal, Operator
from speciate.agents.symbolic import SymbolicProposer, SymbolicSettings
from speciate.archive import Program, canonical

HEAD = '''"""A program."""

import numpy as np

UNTOUCHED = 7.0
# EVOLVE-BLOCK-START
'''
TAIL = """# EVOLVE-BLOCK-END


def after(x):
    return UNTOUCHED * x  # stays
"""
BODIES = (
    '''RATE = 0.1  # the step


def solve(x: np.ndarray, n: int) -> np.ndarray:
    """Averages."""
    y = np.zeros(len(x))
    # towards the target
    for t in range(n):
        y = y + RATE * (x - y)
        if t % 20 == 0 and np.abs(x - y).sum() < 1e-6:
            break
    return y
''',
    """def helper(a, b=1e-8):
    return np.sqrt(a * a + b)


def solve(x: np.ndarray, n: int) -> np.ndarray:
    weights = np.arange(n) + 1.0
    total = 0.0
    while total < 10:
        total += helper(np.sum(weights)) if n > 3 else 1.0
    return np.maximum(x, total) @ np.outer(x, weights)
""",
    """def solve(x, n):
    A, b = np.outer(x, x) + np.eye(len(x)), np.ones(len(x))
    best = None
    for k in range(n):
        with np.errstate(all="ignore"):
            z = np.linalg.inv(A) @ b
        if best is None or z.sum() > best.sum():
            best = z
        b = b * 0.5 + [v ** 2 for v in x][0]
    return best
""",
    "COEFFICIENTS = (1.0, 0.5, 0.25)\nsolve = lambda x, n: sum(c * x ** i for i, c in enumerate(COEFFICIENTS))\n",
)
SOURCES = tuple(HEAD + body + TAIL for body in BODIES)
PROPOSER = SymbolicProposer()


def propose(brief, proposer=PROPOSER):
    return asyncio.run(proposer.propose(brief))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    source=st.sampled_from(SOURCES), seed=st.integers(0, 2**32), shown=st.lists(st.sampled_from(SOURCES), max_size=2)
)
def test_a_proposal_is_a_different_program_with_the_same_frame(make_brief, source, seed, shown):
    proposal = propose(make_brief(source, seed, shown))
    text = proposal.program.source
    ast.parse(text)
    assert canonical(text) != canonical(source)
    assert proposal.program.id != Program.of(source).id
    assert text.startswith(HEAD)
    assert text.endswith(TAIL)
    assert re.findall(r"def solve\(.*", text) == re.findall(r"def solve\(.*", source)
    assert proposal.detail
    assert proposal.parents[0] == Program.of(source).id


@settings(max_examples=25)
@given(source=st.sampled_from(SOURCES), seed=st.integers(0, 2**32))
def test_the_same_random_numbers_give_the_same_proposal(make_brief, source, seed):
    first = propose(make_brief(source, seed, SOURCES[:1]), SymbolicProposer())
    again = propose(make_brief(source, seed, SOURCES[:1]))
    assert (first.program.source, first.detail) == (again.program.source, again.detail)


def test_descendants_of_descendants_still_have_the_frame(make_brief):
    source = SOURCES[0]
    for seed in range(60):
        source = propose(make_brief(source, seed)).program.source
        assert source.startswith(HEAD)
        assert source.endswith(TAIL)


def test_comments_and_layout_elsewhere_stay(make_brief):
    settings_ = SymbolicSettings(weights=dict.fromkeys(("constants",), 1.0) | _without("constants"), repeat=0.0)
    proposer = SymbolicProposer(settings=settings_)
    for seed in range(30):
        before, after = (
            SOURCES[0].splitlines(),
            propose(make_brief(SOURCES[0], seed), proposer).program.source.splitlines(),
        )
        assert len(before) == len(after)
        changed = [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        assert 1 <= len(changed) <= 6
        assert "    # towards the target" in after


def _without(kept):
    groups = ("constants", "schedules", "expressions", "statements", "control", "state", "crossover", "rewrites")
    return {group: 0.0 for group in groups if group != kept}


def test_crossover_names_the_inspirations_as_parents(make_brief):
    proposer = SymbolicProposer(settings=SymbolicSettings(weights={"crossover": 1.0} | _without("crossover")))
    brief = make_brief(SOURCES[0], 1, [SOURCES[1]])
    proposal = propose(brief, proposer)
    assert proposal.operator is Operator.CROSSOVER
    assert proposal.parents == (Program.of(SOURCES[0]).id, Program.of(SOURCES[1]).id)


@pytest.mark.parametrize("source", ["import numpy as np\n", "def broken(:\n", HEAD + TAIL, ""])
def test_a_program_that_offers_nothing_gets_no_proposal(make_brief, source):
    with pytest.raises(NoProposal):
        propose(make_brief(source))


def test_an_expression_nested_too_deep_is_left_alone(make_brief):
    source = "def solve(x, n):\n    return " + " + ".join(["x"] * 3000) + "\n"
    with pytest.raises(NoProposal):
        propose(make_brief(source))


def test_other_files_of_a_program_stay(make_brief):
    brief = make_brief(SOURCES[0])
    program = Program({"program.py": SOURCES[0], "notes.py": "A = 1\n"})
    many = type(brief)(brief.task, (type(brief.parent)(program, brief.parent.evaluation),), (), brief.rng)
    assert propose(many).program.files["notes.py"] == "A = 1\n"


def test_weights_of_unknown_groups_are_refused():
    with pytest.raises(ValueError, match="mutatoins"):
        SymbolicProposer(settings=SymbolicSettings(weights={"mutatoins": 1.0}))


def test_most_proposals_run(make_brief):
    outcomes = [_runs(propose(make_brief(SOURCES[0], seed)).program.source) for seed in range(120)]
    assert np.mean(outcomes) > 0.8


def _runs(source):
    scope = {}
    try:
        with np.errstate(all="ignore"):
            exec(compile(source, "program", "exec"), scope)
            scope["solve"](np.linspace(0.0, 1.0, 5), 30)
    except Exception:  # noqa: BLE001 - whatever a mutant raises
        return False
    return True
