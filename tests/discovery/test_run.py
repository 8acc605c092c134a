"""Whole runs in this process, on small tasks."""

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.archive import Journal, Program, replay, verify
from speciate.discovery.config import load_config
from speciate.discovery.landing import RunFailed
from speciate.discovery.opened import Outcome
from speciate.discovery.run import start
from speciate.discovery.secrets import run_secret
from speciate.evaluators import State, load_task
from speciate.evaluators.seeds import draw

TOYS = Path(__file__).parent.parent / "toy_tasks"


def run(tmp_path: Path, name: str = "linear", **values: Any) -> Outcome:
    options: dict[str, Any] = {"budget__evaluations": 40, "workers": 1, "seed": 0} | values
    return start(str(TOYS / name), load_config(None, **options), tmp_path / "run")


def answering(expression: str) -> str:
    """The baseline of ``linear`` with another answer."""
    baseline = load_task(str(TOYS / "linear")).baseline
    return re.sub("return .*", f"return {expression}", baseline)


def journal_of(directory: Path) -> list[str]:
    """The journal without what is measured or timed."""
    journal = Journal.open(directory, readonly=True)
    lines = []
    for _, _, event in journal.events():
        if event.kind in ("proposed", "dropped", "migrated", "island_reset", "island_added", "added"):
            lines.append(event.model_dump_json(exclude={"cpu_seconds"}))
    journal.close()
    return lines


def test_a_run_beats_the_baseline_and_is_certified(tmp_path: Path) -> None:
    outcome = run(tmp_path, budget__evaluations=150)
    assert outcome.evaluations == 150
    assert outcome.stopped_by == "evaluations"
    assert outcome.score is not None
    assert outcome.score > 0
    assert outcome.certified


@pytest.mark.parametrize(("workers", "proposer"), [(1, "symbolic"), (3, "symbolic+tuning")])
def test_the_same_seed_gives_the_same_journal(workers: int, proposer: str, tmp_path: Path) -> None:
    run(tmp_path / "a", workers=workers, proposer=proposer)
    run(tmp_path / "b", workers=workers, proposer=proposer)
    run(tmp_path / "c", workers=workers, proposer=proposer, seed=1)
    assert journal_of(tmp_path / "a" / "run") == journal_of(tmp_path / "b" / "run")
    assert journal_of(tmp_path / "a" / "run") != journal_of(tmp_path / "c" / "run")


def test_a_bandit_mixes_proposers_and_its_ledger_is_in_the_journal(tmp_path: Path) -> None:
    run(tmp_path, proposer="symbolic+tuning")
    journal = Journal.open(tmp_path / "run", readonly=True)
    state, again = replay(journal), replay(journal)
    journal.close()
    made = {proposed.proposer: proposed.operator for proposed in state.proposals.values()}
    assert made["tuning"] == "tune"
    assert "symbolic" in made
    merits = state.ledger.merits(0)
    assert merits["tuning", ""].cost > 0
    assert merits == again.ledger.merits(0)


def test_migration_moves_elites_between_islands(tmp_path: Path) -> None:
    run(tmp_path, budget__evaluations=60, islands__count=3, islands__migration_interval=10)
    assert any('"kind":"migrated"' in line for line in journal_of(tmp_path / "run"))


MOVING: dict[str, Any] = {
    "islands__migration_interval": 7,
    "islands__topology": "random",
    "islands__reset_interval": 11,
    "islands__stagnation": 5,
    "islands__max_islands": 4,
    "islands__archive": "unstructured",
    "islands__axes": "omit_one",
}


def test_resets_growth_and_drawn_topologies_repeat_and_verify(tmp_path: Path) -> None:
    run(tmp_path / "a", **MOVING)
    run(tmp_path / "b", **MOVING)
    story = journal_of(tmp_path / "a" / "run")
    assert story == journal_of(tmp_path / "b" / "run")
    assert all(any(f'"kind":"{kind}"' in line for line in story) for kind in ("island_reset", "island_added"))
    journal = Journal.open(tmp_path / "a" / "run", readonly=True)
    assert verify(journal).problems == ()
    state = replay(journal)
    journal.close()
    assert len(state.archipelago.islands) > 2
    assert {event.island for event in state.proposals.values()} == set(range(len(state.archipelago.islands)))


def test_duplicates_and_rule_breakers_cost_no_evaluation(tmp_path: Path) -> None:
    baseline = load_task(str(TOYS / "linear")).baseline
    scripted = ScriptedProposer([baseline, "def broken(:", "import os\n" + baseline, "x = 1"])
    config = load_config(None, budget__evaluations=10, workers=1)
    outcome = start(str(TOYS / "linear"), config, tmp_path / "run", proposer=scripted)
    assert outcome.evaluations == 1
    assert outcome.stopped_by == "exhausted"
    dropped = [line for line in journal_of(tmp_path / "run") if '"kind":"dropped"' in line]
    assert "duplicate" in dropped[0]


def test_what_ends_at_the_smoke_instances_costs_no_evaluation(tmp_path: Path) -> None:
    answers = ["x[0:3]", "2.0 * x", "x + x", "y + 0"]
    scripted = ScriptedProposer([answering(answer) for answer in answers])
    config = load_config(None, budget__evaluations=10, workers=1, in_flight=1)
    outcome = start(str(TOYS / "linear"), config, tmp_path / "run", proposer=scripted)
    assert outcome.evaluations == 2
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert verify(journal).ok
        state = replay(journal)
    assert state.counts[State.INVALID] == 1
    dropped = [line for line in journal_of(tmp_path / "run") if "does on the smoke instances what" in line]
    assert len(dropped) == 2


COPIES = """import numpy as np

# EVOLVE-BLOCK-START
def solve(x):
{body}
    return {answer}


# EVOLVE-BLOCK-END
"""


def test_copies_in_disguise_are_evaluated_once(tmp_path: Path) -> None:
    """Rows autonumerics_zero and lion_search: commuted operands, other names, dead code."""
    first = COPIES.format(body="    a = 0.3 * x\n    b = 1.7 * np.abs(x)", answer="a + b")
    others = (
        COPIES.format(body="    a = 0.3 * x\n    b = 1.7 * np.abs(x)", answer="b + a"),
        COPIES.format(body="    half = x * 0.3\n    rest = np.abs(x) * 1.7", answer="half + rest"),
        COPIES.format(body="    a = 0.3 * x\n    c = np.exp(a)\n    b = 1.7 * np.abs(x)", answer="a + b"),
    )
    baseline = COPIES.format(body="    y = np.zeros_like(x)", answer="y")
    folder = tmp_path / "task"
    shutil.copytree(TOYS / "linear", folder)
    (folder / "baseline.py").write_text(baseline)
    config = load_config(None, budget__evaluations=10, workers=1, in_flight=1, certify=False)
    outcome = start(str(folder), config, tmp_path / "run", proposer=ScriptedProposer([first, *others]))
    assert outcome.evaluations == 2
    dropped = [line for line in journal_of(tmp_path / "run") if '"kind":"dropped"' in line]
    original = Program.of(first).id
    assert sum(f"does on the smoke instances what {original[:12]}" in line for line in dropped) == len(others)


def test_a_program_that_wins_on_the_runs_instances_only_is_not_certified(tmp_path: Path) -> None:
    """Row lion_search: it knows the answers to what the search measures, which certification does not ask again."""
    folder = load_task(str(TOYS / "linear"))
    secret = run_secret(folder.task.id, 0)
    answers = {
        float(instance.inputs["x"][0]): instance.secret.tolist()
        for sets in (1, 20)
        for instance in draw(folder.task, secret, "default", "search", sets=sets)
    }
    source = (TOYS / "linear" / "baseline.py").read_text()
    learnt = source.replace("FACTOR = 1.4", f"KNOWN = {answers}").replace(
        source[source.index("    y = np.zeros_like(x)") : source.index("    return y")],
        "    y = np.array(KNOWN.get(float(x[0]), 0.0 * x))\n",
    )
    config = load_config(None, budget__evaluations=3, workers=1, in_flight=1, simplify=False)
    honest = answering("1.9 * x")
    start(str(folder.path), config, tmp_path / "run", proposer=ScriptedProposer([honest, learnt]))
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        state = replay(journal)
    assert state.ranking(1) == [Program.of(learnt).id]
    assert state.certified_best is not None
    assert state.certified_best[0] == Program.of(honest).id


def test_replay_of_the_journal_is_the_state_the_run_had(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    journal = Journal.open(tmp_path / "run", readonly=True)
    state = replay(journal)
    journal.close()
    assert state.evaluations == outcome.evaluations
    assert state.best is not None
    assert state.best[1].score is not None
    assert state.counts[State.VALID] == outcome.valid


def test_a_baseline_that_is_not_valid_ends_the_run_with_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    for file in (TOYS / "linear").glob("*.py"):
        text = file.read_text()
        (folder / file.name).write_text(text if file.name == "task.py" else text + "\nraise ValueError('no')\n")
    with pytest.raises((RunFailed, Exception)) as caught:
        start(str(folder), load_config(None, budget__evaluations=5), tmp_path / "run")
    assert "baseline" in str(caught.value)


def test_smoke_instances_that_tell_nothing_apart_stop_no_program(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    for file in (TOYS / "linear").glob("*.py"):
        (folder / file.name).write_text(
            file.read_text().replace('1 if size == "smoke" else 3', '3 * (size != "smoke")')
        )
    scripted = ScriptedProposer([answering(answer) for answer in ("2.0 * x", "x + x", "1.5 * x")])
    config = load_config(None, budget__evaluations=4, workers=1, certify=False)
    assert start(str(folder), config, tmp_path / "run", proposer=scripted).evaluations == 4
