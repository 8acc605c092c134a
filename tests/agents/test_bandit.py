"""Which proposer is asked: what pays goes on, what does not is nearly given up, and the journal decides."""

import asyncio
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from speciate.agents import Brief, NoProposal, Proposal
from speciate.agents.bandit import LEAST, MOST, MixedProposer, order, reweighted
from speciate.agents.scripted import ScriptedProposer
from speciate.archive import Tally
from speciate.archive.ledger import Ledger

ARMS = ("good", "idle", "fair")
outcomes = st.lists(
    st.tuples(st.sampled_from(ARMS), st.sampled_from(("a", "b", "a+b")), st.sampled_from((0.0, 0.2, 1.0)))
)


def played(rates: dict[str, float], pulls: int, seed: int, costs: dict[str, float] | None = None) -> Counter[str]:
    """How often each arm is asked in the last half of a game in which arm ``a`` succeeds with ``rates[a]``."""
    ledger, rng, counts = Ledger(), np.random.default_rng(seed), Counter[str]()
    names = list(rates)
    for pull in range(pulls):
        name = names[order(names, ledger.merits(0), rng)[0]]
        ledger.enter(0, name, "", float(rng.random() < rates[name]), (costs or {}).get(name, 1.0))
        counts[name] += pull >= pulls // 2
    return counts


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), rate=st.floats(0.2, 0.9))
def test_an_arm_that_never_improves_gets_few_pulls(seed: int, rate: float) -> None:
    counts = played({"idle": 0.0, "good": rate}, 400, seed)
    assert counts["idle"] < 0.25 * counts["good"]


def test_of_equal_arms_the_cheaper_one_is_asked_more() -> None:
    counts = sum((played({"dear": 0.3, "cheap": 0.3}, 400, seed, {"dear": 5.0}) for seed in range(5)), Counter())
    assert counts["cheap"] > 2 * counts["dear"]


def test_it_follows_when_another_arm_becomes_the_better_one() -> None:
    ledger, rng = Ledger(), np.random.default_rng(0)
    counts: Counter[str] = Counter()
    for pull in range(800):
        name = ("early", "late")[order(("early", "late"), ledger.merits(0), rng)[0]]
        pays = (name == "early") == (pull < 400)
        ledger.enter(0, name, "", float(pays and rng.random() < 0.4), 1.0)
        counts[name] += pull >= 600
    assert counts["late"] > 2 * counts["early"]


def test_regret_falls_while_it_learns() -> None:
    """Row learning_to_relax_sor: a stream of 400 proposals with a secret best arm, mean of 20 streams."""
    rates, regrets = {"poor": 0.1, "fair": 0.2, "good": 0.6}, []
    for seed in range(20):
        ledger, rng = Ledger(), np.random.default_rng(seed)
        for _ in range(400):
            name = tuple(rates)[order(tuple(rates), ledger.merits(0), rng)[0]]
            ledger.enter(0, name, "", float(rng.random() < rates[name]), 1.0)
            regrets.append(rates["good"] - rates[name])
    first, *_, last = np.array(regrets).reshape(20, 4, 100).mean(axis=(0, 2))
    assert last < 0.4 * first


def share_of_right_choices(contexts: tuple[int, int], seed: int) -> float:
    """In the last quarter of 400 proposals; two situations take turns, which want different arms.

    ``contexts`` are the islands that their outcomes are entered for.
    """
    ledger, rng, right = Ledger(), np.random.default_rng(seed), 0
    for pull in range(400):
        island, arms = contexts[pull % 2], ("even", "odd")
        choice = order(arms, ledger.merits(island), rng)[0]
        fits = choice == pull % 2
        ledger.enter(island, arms[choice], "", float(rng.random() < (0.5 if fits else 0.05)), 1.0)
        right += fits and pull >= 300
    return right / 100


@pytest.mark.parametrize("seed", range(5))
def test_what_each_island_needs_is_learnt_on_it_and_not_from_all_together(seed: int) -> None:
    """Row learning_to_relax_sor: the island is the context that the bandit knows."""
    assert share_of_right_choices((0, 1), seed) > 0.85
    assert share_of_right_choices((0, 0), seed) < 0.7


@given(outcomes=outcomes, seed=st.integers(0, 2**32))
def test_a_replay_gives_the_same_choice(outcomes: list[tuple[str, str, float]], seed: int) -> None:
    live, replayed = Ledger(), Ledger()
    for ledger in (live, replayed):
        for name, detail, reward in outcomes:
            ledger.enter(0, name, detail, reward, 1.0)
    choices = [order(ARMS, ledger.merits(0), np.random.default_rng(seed)) for ledger in (live, replayed)]
    assert live == replayed
    assert choices[0] == choices[1]


@given(outcomes=outcomes)
def test_islands_do_not_see_each_other(outcomes: list[tuple[str, str, float]]) -> None:
    alone, beside = Ledger(), Ledger()
    for name, detail, reward in outcomes:
        alone.enter(0, name, detail, reward, 1.0)
        beside.enter(0, name, detail, reward, 1.0)
        beside.enter(1, name, detail, 1.0 - reward, 1.0)
    assert alone.merits(0) == beside.merits(0)


def test_old_outcomes_fade() -> None:
    ledger = Ledger()
    ledger.enter(0, "early", "", 1.0, 1.0)
    for _ in range(69):
        ledger.enter(0, "late", "", 0.0, 1.0)
    assert abs(ledger.merits(0)["early", ""].reward - 0.5) < 0.01


def test_details_that_never_come_back_are_forgotten() -> None:
    ledger = Ledger()
    for index in range(3000):
        ledger.enter(0, "scripted", f"script[{index}]", 0.0, 1.0)
    assert len(ledger.merits(0)) < 1000


@given(
    tallies=st.dictionaries(
        st.sampled_from(("x1", "x2", "y1")), st.tuples(st.floats(0, 50), st.floats(0.1, 200)), max_size=3
    )
)
@example(tallies={"x1": (5e-324, 2.0)})
def test_groups_are_reweighted_within_bounds(tallies: dict[str, tuple[float, float]]) -> None:
    merits = {("s", name): Tally(reward, cost) for name, (reward, cost) in tallies.items()}
    new = reweighted({"x": 0.7, "y": 0.3}, {"x": ("x1", "x2"), "y": ("y1",)}, "s", merits)
    assert LEAST * 0.7 <= new["x"] <= MOST * 0.7
    assert LEAST * 0.3 <= new["y"] <= MOST * 0.3


def test_a_group_that_pays_is_drawn_more() -> None:
    merits = {("s", "x1"): Tally(10, 40), ("s", "y1"): Tally(0, 40)}
    new = reweighted({"x": 0.5, "y": 0.5}, {"x": ("x1",), "y": ("y1",)}, "s", merits)
    assert new["x"] > 1.5 * new["y"]


class Silent:
    name = "silent"

    async def propose(self, brief: Brief) -> Proposal:
        raise NoProposal("nothing")


def test_the_next_one_answers_where_the_first_has_nothing(make_brief: Callable[..., Brief]) -> None:
    mixed = MixedProposer([Silent(), ScriptedProposer(lambda index: f"x = {index}")])
    made = [asyncio.run(mixed.propose(make_brief("x = 0", seed=seed))) for seed in range(8)]
    assert {proposal.proposer for proposal in made} == {"scripted"}
