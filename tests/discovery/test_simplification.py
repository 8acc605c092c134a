"""Real evaluations decide what may go."""

import ast
import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speciate.agents import Operator, Proposal
from speciate.agents.scripted import ScriptedProposer
from speciate.archive import Journal, RunState, replay, verify
from speciate.discovery.afterwards import simplify_in
from speciate.discovery.config import load_config
from speciate.discovery.events import proposed_event, repeated_event
from speciate.discovery.run import start
from speciate.discovery.simplification import reduced

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"
LONG = """import numpy as np

# EVOLVE-BLOCK-START
FACTOR = 2.4
IDLE = 3.0


def solve(x):
    y = np.zeros_like(x)
    trail = [y]
    for step in range(40):
        if step >= 0:
            y = y + 0.5 * (1.0 * FACTOR * x - y)
        trail.append(y)
    total = sum(trail)
    y = np.asarray(y)
    return y


# EVOLVE-BLOCK-END
"""


def state_of(run: Path) -> RunState:
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        return replay(journal)


def scripted(tmp_path: Path, *sources: str, **values: object) -> Path:
    run = tmp_path / "run"
    settings: dict[str, Any] = {"budget__evaluations": 1 + len(sources), "workers": 1} | values
    config = load_config(None, **settings)
    start(str(TOY), config, run, proposer=ScriptedProposer(sources))
    return run


def test_what_does_not_matter_goes_and_the_rest_is_certified(tmp_path: Path) -> None:
    run = scripted(tmp_path, LONG)
    done = simplify_in(run, None)
    assert done.result is not None
    source = done.result.program.source
    assert not any(word in source for word in ("trail", "total", "IDLE", "asarray", "if ", "1.0"))
    assert "FACTOR" in source
    assert done.result.evaluation.score == pytest.approx(done.before.score, abs=0.01)
    assert done.result.evaluations <= 60
    assert done.certificate is not None
    state = state_of(run)
    proposed = state.proposals[done.result.program.id]
    assert (proposed.operator, proposed.parents) == ("simplify", (done.original.id,))
    assert state.evaluation_of(proposed.program).score is not None
    assert state.evaluations == 2, "the search's evaluations are counted apart"
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        assert verify(journal).ok


def test_a_run_ends_with_a_simplified_program_and_replays(tmp_path: Path) -> None:
    others = [LONG.replace("2.4", f"{1.5 + index / 100}") for index in range(60)]
    run = scripted(tmp_path, *others, LONG)
    state = state_of(run)
    assert state.certified_best is not None
    best = state.proposals[state.certified_best[0]]
    assert best.operator == "simplify"
    assert state.program(best.program).size < state.program(best.parents[0]).size
    assert state.evaluations == 62


def test_it_can_be_left_out(tmp_path: Path) -> None:
    run = scripted(tmp_path, *(LONG.replace("2.4", f"2.{index}") for index in range(40)), simplify=False)
    assert not any(proposed.operator == "simplify" for proposed in state_of(run).proposals.values())


def test_the_command_answers_in_json_and_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    run = scripted(tmp_path, LONG)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "speciate", "simplify", *arguments, "--json"]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    journal = Journal.open(run)
    busy = command(str(run))
    journal.close()
    unknown = command(str(run), "0000")
    for refused, word in ((busy, "in use"), (unknown, "0000")):
        assert refused.returncode == 2
        assert word in refused.stderr
        assert refused.stderr.count("\n") == 1
    done = command(str(run))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["size"]["after"] < answer["size"]["before"]
    assert answer["certified"]
    again = command(str(run), answer["program"])
    assert json.loads(again.stdout)["program"] is None


LION = """import numpy as np


def update(w, g, m):
    c = 0.9 * m + 0.1 * g
    norm = np.linalg.norm(c)
    c = np.clip(c, -1e6, 1e6)
    w = w - 0.01 * (np.sign(c) + 2.0 * w)
    if norm > 1e9:
        w = w / norm
    m = 0.99 * m + 0.01 * g
    return w, m
"""


def test_lion_loses_its_three_redundant_lines() -> None:
    """Row lion_search."""
    rng = np.random.default_rng(0)
    shown = [rng.normal(size=(3, 500)) for _ in range(3)]

    def steps(source: str) -> list[np.ndarray]:
        names: dict[str, Any] = {}
        exec(source, names)
        return [np.concatenate(names["update"](*one)) for one in shown]

    def keeps(source: str) -> bool:
        try:
            return bool(np.allclose(steps(source), steps(LION)))
        except (NameError, TypeError, ValueError, AttributeError, SyntaxError, KeyError):
            return False

    left = ast.parse(reduced(LION, keeps)).body[-1]
    assert isinstance(left, ast.FunctionDef)
    assert [ast.unparse(line) for line in left.body] == [
        "c = 0.9 * m + 0.1 * g",
        "w = w - 0.01 * (np.sign(c) + 2.0 * w)",
        "m = 0.99 * m + 0.01 * g",
        "return (w, m)",
    ]


def test_what_was_dropped_as_a_repeat_is_no_simplification(tmp_path: Path) -> None:
    run = scripted(tmp_path, LONG, simplify=False, certify=False)
    again = shutil.copytree(run, tmp_path / "again")
    done = simplify_in(run, None)
    assert done.result is not None
    with contextlib.closing(Journal.open(again)) as journal:
        state = replay(journal)
        proposal = Proposal(done.result.program, (state.baseline,), Operator.MUTATE, "someone")
        proposed = proposed_event(state.next_index(), 0, proposal)
        journal.append(proposed, repeated_event(proposed, state.baseline))
    assert simplify_in(again, None).result is None
    with contextlib.closing(Journal.open(again, readonly=True)) as journal:
        assert verify(journal).problems == ()
