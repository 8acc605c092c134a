"""Runs with a proposer that reads: its elites are traced into the journal, its briefs hold what the run remembers."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.agents import Brief, Proposal
from speciate.agents.bandit import MixedProposer
from speciate.agents.chain import ChainedProposer
from speciate.agents.opto import render
from speciate.agents.scripted import ScriptedProposer
from speciate.api import load_run
from speciate.archive import Journal, RunState, Traced, verify
from speciate.discovery import load_config
from speciate.discovery.run import resume, start
from speciate.evaluators import State

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
BASELINE = (LINEAR / "baseline.py").read_text()


def source(index: int) -> str:
    """The baseline with another factor; each fifth one fails."""
    changed = BASELINE.replace("FACTOR = 1.4", f"FACTOR = {1.5 + 0.1 * index}")
    return changed.replace("return y", "return y[99]") if index % 5 == 4 else changed


class Reader(ScriptedProposer):
    """A scripted proposer that reads."""

    reads = True

    def __init__(self, start: int = 0) -> None:
        super().__init__(source, start=start)
        self.briefs: list[Brief] = []

    async def propose(self, brief: Brief) -> Proposal:
        self.briefs.append(brief)
        return await super().propose(brief)


def run(directory: Path, proposer: Any, evaluations: int = 12) -> RunState:
    config = load_config(None, budget__evaluations=evaluations, islands__count=1, workers=1, certify=False)
    start(str(LINEAR), config, directory, proposer=proposer)
    return load_run(directory)


def test_every_elite_is_traced_and_the_journal_holds(tmp_path: Path) -> None:
    reader = Reader()
    state = run(tmp_path / "run", reader)
    assert set(state.archipelago.islands[0].elites()) <= set(state.traces)
    assert all(trace.state is State.VALID for trace in state.traces.values())
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        traced = [event for _, _, event in journal.events() if isinstance(event, Traced)]
        assert verify(journal).ok
    assert len(traced) == len(state.traces)
    last = reader.briefs[-1]
    told = render(last, state.traces[last.parent.program.id])
    assert "y = y + 0.5 * (FACTOR * x - y)    # 2 times" in told.code
    assert told.outputs.startswith("array float64[8]")


def test_traces_touch_no_score(tmp_path: Path) -> None:
    with_traces, without = run(tmp_path / "a", Reader()), run(tmp_path / "b", ScriptedProposer(source))
    assert not without.traces
    assert list(with_traces.programs) == list(without.programs)
    for program in without.programs:
        assert with_traces.evaluation_of(program).score == without.evaluation_of(program).score
        assert with_traces.evaluation_of(program).feedback == without.evaluation_of(program).feedback


def test_briefs_of_a_reader_hold_what_the_run_remembers(tmp_path: Path) -> None:
    reader = Reader()
    run(tmp_path / "run", reader)
    insights = " ".join(reader.briefs[-1].insights)
    assert "programs here failed" in insights
    assert "error" in insights
    assert any(brief.successes for brief in reader.briefs)
    assert all(success.step.sure for brief in reader.briefs for success in brief.successes)


def test_others_are_shown_no_more_than_before(tmp_path: Path) -> None:
    briefs: list[Brief] = []

    class Plain(ScriptedProposer):
        async def propose(self, brief: Brief) -> Proposal:
            briefs.append(brief)
            return await super().propose(brief)

    run(tmp_path / "run", Plain(source), evaluations=6)
    assert not any(brief.insights or brief.successes for brief in briefs)


def test_a_resumed_run_keeps_its_traces(tmp_path: Path) -> None:
    before = run(tmp_path / "run", Reader(), evaluations=6)
    resume(tmp_path / "run", proposer=Reader(start=99))
    assert load_run(tmp_path / "run").traces == before.traces


@pytest.mark.parametrize(
    "wrapped", [lambda one: MixedProposer([ScriptedProposer([]), one]), lambda one: ChainedProposer(one, 1)]
)
def test_a_reader_among_others_still_reads(wrapped: Callable[[Any], Any]) -> None:
    assert wrapped(Reader()).reads
    assert not wrapped(ScriptedProposer([])).reads


def test_a_trace_is_shown_from_the_journal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from speciate.cli.tracing import show_trace, trace_of

    state = run(tmp_path / "run", Reader(), evaluations=6)
    program = state.archipelago.islands[0].elites()[-1]
    assert trace_of(state, program) is state.traces[program]
    show_trace(state.traces[program], state.program(program))
    assert "FACTOR * x" in capfd.readouterr().out
