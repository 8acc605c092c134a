"""Row enumerate_conjecture_prove: a claim is tried on small cases, and what refuted one stops the next at the gate."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.api import load_run
from speciate.archive import Dropped, Event, Journal, Proposed, verify
from speciate.archive.events import Refuted, Traced
from speciate.discovery.run import resume, start
from speciate.discovery.scrutiny import PATIENCE
from speciate.discovery.secrets import run_secret
from speciate.discovery.setup import run_config
from speciate.evaluators import State, load_task
from speciate.evaluators.evaluator import DRAWS
from speciate.evaluators.seeds import draw, numbered_draw

from ..agents.llm.endpoint import Endpoint, Reply, serving
from ..agents.llm.model import diff

TASK = '''"""Bounds on the number of ways of tiling a strip of n cells with tiles of one and two cells."""

import numpy as np

from speciate.evaluators import Descriptor, Direction, Entry, Instance, Objective, Paper, Task, Verdict
from speciate.evaluators.checks import as_array


def ways(n):
    a, b = 1, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def instances(rng, size):
    if size == "smoke":
        return [Instance("few", {"cases": np.sort(rng.permutation(8)[:4]) + 1}, None)]
    return [Instance(f"all{i}", {"cases": np.arange(1, 13 + i)}, None) for i in range(2)]


def judge(instance, output, log):
    cases = instance.inputs["cases"]
    bounds = as_array(output, shape=cases.shape)
    true = np.array([ways(n) for n in cases.tolist()])
    if not np.all(bounds >= true):
        return Verdict.invalid(f"no bound for a strip of {cases[bounds < true][0]} cells")
    return Verdict(True, {"excess": float(np.mean(np.log(bounds / true)))})


task = Task(
    id="tilings",
    family="toys",
    title="Bound tilings",
    paper=Paper("None", 2026),
    entry=Entry("def solve(cases: np.ndarray) -> np.ndarray"),
    statement="Bound the number of tilings of strips with tiles of one and two cells from above, and tightly.",
    instances=instances,
    judge=judge,
    objective=Objective("excess", Direction.MINIMIZE, "linear"),
    descriptors=(Descriptor("code_size", 10, 200, bins=6, scale="log"),),
    claim="The golden ratio is less than 2.",
)
'''
BASELINE = """import numpy as np

# EVOLVE-BLOCK-START


def solve(cases):
    bounds = 2.0 ** cases
    return bounds


# EVOLVE-BLOCK-END
"""
BOUND = "2.0 ** cases"
WRONG = tuple(
    f"np.minimum({base} ** cases, 8.0) + {more}" for base, more in ((2.0, 0), (1.9, 0.5), (1.8, 1), (1.75, 2))
)
"""Right for strips of up to five cells."""
RIGHT = "1.7 ** cases"
SOUND = ("1.95 ** cases", "1.9 ** cases")
"""Good programs that are there before: with the baseline they are enough."""


@pytest.fixture
def task(tmp_path: Path) -> str:
    folder = tmp_path / "tilings"
    folder.mkdir()
    (folder / "task.py").write_text(TASK)
    (folder / "baseline.py").write_text(BASELINE)
    (folder / "reference.py").write_text(BASELINE.replace("2.0 **", "1.65 **"))
    return str(folder)


def seed_where(task: str, holds: Callable[[int, int], bool]) -> int:
    """The seed of a run for which the rule holds, of the longest strips in its smoke instance and in further draws."""
    made = load_task(task).task
    for seed in range(1000):
        secret = run_secret(made.id, seed)
        (first,) = draw(made, secret, "smoke", "search")
        later = [numbered_draw(made, secret, "smoke", "search", number)[0].inputs["cases"] for number in range(DRAWS)]
        if holds(max(first.inputs["cases"]), max(map(max, later))):
            return seed
    raise AssertionError("no such seed")


def deceived(task: str) -> int:
    """With up to five cells in its smoke instance, and more in another draw."""
    return seed_where(task, lambda first, later: first <= 5 < later)


def events(directory: Path) -> list[Event]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        assert verify(journal).problems == ()
        return [event for _, _, event in journal.events()]


def test_what_refuted_one_claim_stops_the_next_before_its_evaluation(task: str, tmp_path: Path) -> None:
    sources = [BASELINE.replace(BOUND, claim) for claim in (*SOUND, *WRONG[:2], RIGHT, *WRONG[2:])]
    config = run_config(
        None, seed=deceived(task), budget__evaluations=7, workers=1, in_flight=1, certify=False, islands__count=1
    )
    start(task, config, tmp_path / "run", proposer=ScriptedProposer(sources))
    state = load_run(tmp_path / "run")
    first, second, right, probe, fourth = (state.evaluation_of(name) for name in list(state.programs)[3:])
    assert (first.state, first.size, first.gated) == (State.INVALID, "default", False)
    (instance,) = state.counterexamples
    assert instance.startswith("few of draw ")
    small = state.refutations[list(state.programs)[3]]
    assert small is not None
    assert "no bound for a strip of" in small.feedback
    for repeated in (second, fourth):
        assert (repeated.state, repeated.size, repeated.gated) == (State.INVALID, "smoke", True)
        assert repeated.instances[-1].name == instance
    assert right.state is State.VALID
    assert (probe.state, probe.size, probe.missed) == (State.INVALID, "default", (instance,))
    assert state.evaluations == 6, "the baseline, two more, the first claim, the right one and a probe"
    assert not state.withdrawn
    searched = [event.program for event in events(tmp_path / "run") if isinstance(event, Refuted)]
    assert searched == list(state.programs)[3:4]


def test_a_good_program_that_fails_on_a_small_case_withdraws_it(task: str, tmp_path: Path) -> None:
    """The second program that a counterexample would stop is evaluated all the same, and is VALID."""
    odd = [f"{base} ** cases if cases.size > 4 or cases.max() <= 5 else 0.0 * cases" for base in (1.85, 1.8, 1.75)]
    sources = [BASELINE.replace(BOUND, claim) for claim in (*SOUND, WRONG[0], *odd)]
    config = run_config(
        None, seed=deceived(task), budget__evaluations=6, workers=1, in_flight=1, certify=False, islands__count=1
    )
    start(task, config, tmp_path / "run", proposer=ScriptedProposer(sources))
    state = load_run(tmp_path / "run")
    first, second, third = (state.evaluation_of(name) for name in list(state.programs)[4:])
    assert (first.state, first.gated) == (State.INVALID, True)
    assert (second.state, third.state) == (State.VALID, State.VALID)
    assert second.missed == tuple(state.withdrawn) == tuple(state.counterexamples)
    assert third.missed == ()
    events(tmp_path / "run")


def test_a_counterexample_that_few_good_programs_met_is_shown_and_stops_nobody(task: str, tmp_path: Path) -> None:
    sources = [BASELINE.replace(BOUND, claim) for claim in WRONG[:2]]
    config = run_config(None, seed=deceived(task), budget__evaluations=3, workers=1, in_flight=1, certify=False)
    start(task, config, tmp_path / "run", proposer=ScriptedProposer(sources))
    state = load_run(tmp_path / "run")
    assert [state.evaluation_of(name).size for name in list(state.programs)[1:]] == ["default", "default"]
    assert all(state.refutations.values())
    assert not state.counterexamples


def test_a_model_is_shown_the_counterexample_and_abstains_at_no_cost(task: str, tmp_path: Path) -> None:
    """The second claim is refuted while it is a draft; the model mends it. A reply without a program is recorded."""
    replies = (
        diff(BOUND, SOUND[0]),
        diff(BOUND, SOUND[1]),
        diff(BOUND, WRONG[0], "A bound that fits five cases."),
        "I have no better bound.",
        "No, I really have none.",
        diff(BOUND, WRONG[1], "Another one."),
        diff(WRONG[1], RIGHT, "Let it grow."),
        "I have no better bound.",
    )

    def model(messages: list[dict[str, str]], number: int) -> Reply:
        return Reply(replies[min(number, len(replies) - 1)])

    endpoint = Endpoint(model)
    base = (f"llm.models.scripted.base_url={endpoint.url}", "llm.models.scripted.api_key_env=null")
    settings = (*base, "llm.operators={diff: 1}", "llm.repairs=1", "llm.warm_start=0", "llm.concurrency=1")
    settings += ("selection={parents: baseline, inspirations: 0}",)
    options = {"budget__evaluations": 5, "workers": 1, "in_flight": 1, "certify": False, "proposer": "llm"}
    config = run_config(None, settings, seed=deceived(task), islands__count=1, **options)
    with serving(endpoint):
        start(task, config, tmp_path / "run")
    told = events(tmp_path / "run")
    shown = endpoint.requests[6]["messages"][-1]["content"]
    assert "does not work" in shown
    assert "no bound for a strip of" in shown
    assert "few of draw" in shown
    assert "cases = array int64[4]" in shown
    assert WRONG[1] in shown
    made = [event.files["program.py"] for event in told if isinstance(event, Proposed)]
    assert [next(claim for claim in (*WRONG, RIGHT, BOUND) if claim in text) for text in made[3:]] == [WRONG[0], RIGHT]
    assert any(isinstance(event, Dropped) and "neither a SEARCH/REPLACE block" in event.reason for event in told)
    assert {event.trace.instance.partition(" of ")[0] for event in told if isinstance(event, Traced)} == {"few"}


def test_a_resumed_run_knows_its_counterexamples(task: str, tmp_path: Path) -> None:
    sources = [BASELINE.replace(BOUND, claim) for claim in (*SOUND, WRONG[0], RIGHT, WRONG[1])]
    config = run_config(None, seed=deceived(task), budget__evaluations=5, workers=1, in_flight=1, certify=False)
    directory = tmp_path / "run"
    start(task, config, directory, proposer=ScriptedProposer(sources[:4]))
    before = load_run(directory).counterexamples
    assert before
    resume(directory, proposer=ScriptedProposer(sources, start=4))
    assert load_run(directory).counterexamples == before


def test_a_task_without_small_counterexamples_is_not_searched_for_long(task: str, tmp_path: Path) -> None:
    """Right on all strips that a smoke instance can have, wrong on longer ones."""
    sources = [BASELINE.replace(BOUND, f"np.minimum(2.0 ** cases, {35 + number}.5)") for number in range(PATIENCE + 2)]
    seed = seed_where(task, lambda first, later: first > 5)
    config = run_config(None, seed=seed, budget__evaluations=PATIENCE + 3, workers=1, in_flight=1, certify=False)
    start(task, config, tmp_path / "run", proposer=ScriptedProposer(sources))
    state = load_run(tmp_path / "run")
    assert state.counts[State.INVALID] == PATIENCE + 2
    assert list(state.refutations.values()) == [None] * PATIENCE
    assert not state.counterexamples
