"""levine_hats: the exact value against a simulation, the strategies known for fair hats, and what the judge refuses."""

from fractions import Fraction

import numpy as np
import pytest

from speciate.evaluators.trial import judged
from speciate.tasks.discovery.levine_hats import baseline, known_response, reference
from speciate.tasks.discovery.levine_hats.task import instances, task, winning_probability


def value(program, h, players, p):
    return exactly(h, [np.asarray(table) for table in program.strategies(h, players, float(p))], p)


def exactly(h, tables, p):
    won = winning_probability(h, tables, p)
    assert won is not None
    return won


def simulated(h, tables, p, games, rng):
    """Share of games won in which every player reads the hats of the others block by block."""
    wins = 0
    for _ in range(games):
        stacks = rng.random((len(tables), 40 * h)) < p
        named = [_named(h, table, np.delete(stacks, player, axis=0)) for player, table in enumerate(tables)]
        wins += all(stacks[player, place] for player, place in enumerate(named))
    return wins / games


def _named(h, table, seen):
    for block in range(seen.shape[1] // h):
        bits = seen[:, block * h : (block + 1) * h] @ (1 << np.arange(h))
        place = table[int(bits @ (2 ** (h * np.arange(len(seen))[::-1])))]
        if place >= 0:
            return block * h + place
    raise AssertionError("deferred for forty blocks")


@pytest.mark.parametrize(("h", "players"), [(2, 2), (3, 2), (2, 3)])
def test_the_exact_value_is_the_frequency_of_winning(h, players):
    rng = np.random.default_rng(1)
    size = 2 ** (h * (players - 1))
    tables = [np.where(rng.random(size) < 0.3, -1, rng.integers(0, h, size)) for _ in range(players)]
    exact = float(exactly(h, tables, Fraction(3, 5)))
    games = 4000
    assert simulated(h, tables, 0.6, games, rng) == pytest.approx(exact, abs=4 * np.sqrt(exact / games))


@pytest.mark.parametrize("p", [Fraction(1, 4), Fraction(1, 2), Fraction(7, 10)])
def test_naming_the_first_black_hat_wins_with_the_textbook_probability(p):
    """p / (2 - p) for two players; blocks do not matter."""
    for h in (2, 3, 5):
        assert value(baseline, h, 2, p) == p / (2 - p)


def test_three_players_of_the_baseline_name_the_first_place_where_both_others_are_black():
    table = baseline.strategies(2, 3, 0.5)[0]
    assert table.tolist() == [-1, -1, -1, -1, -1, 0, -1, 0, -1, -1, 1, 1, -1, 0, 1, 0]


def test_optimal_responses_reach_seven_twentieths_for_fair_hats():
    assert value(reference, 3, 2, Fraction(1, 2)) == Fraction(7, 20)
    assert float(value(reference, 3, 2, Fraction(3, 10))) == pytest.approx(0.180969, abs=1e-6)


@pytest.mark.parametrize(("h", "players"), [(3, 2), (2, 3)])
def test_a_response_never_lowers_the_value_and_the_value_is_the_exact_one(h, players):
    game, rng = reference.Game(h, players, 0.4), np.random.default_rng(0)
    for _ in range(5):
        tables = game.start(rng, False)
        for player in range(players):
            before = game.value(tables)
            tables[player] = game.best_response(tables, player, before)
            assert game.value(tables) >= before - 1e-12
        exact = exactly(h, [table.ravel() for table in tables], Fraction(2, 5))
        assert game.value(tables) == pytest.approx(float(exact))


def test_all_always_deferring_is_invalid():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    assert not judged(task, instance, [np.full(8, -1)] * 2, None).valid


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        [np.zeros(8, dtype=int)],
        [np.zeros(8)] * 2,
        [np.zeros(7, dtype=int)] * 2,
        [np.full(8, 3)] * 2,
        [np.full(8, -2)] * 2,
        ["x", "y"],
    ],
)
def test_other_than_a_table_per_player_is_invalid(output):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    assert instance.inputs["h"] == 3
    assert not judged(task, instance, output, None).valid


def test_instances_repeat_and_p_differs():
    first, again = (instances(np.random.default_rng(1), "default") for _ in range(2))
    assert [one.inputs for one in first] == [one.inputs for one in again]
    assert len({one.secret for one in first}) > 5


def test_responses_beat_the_known_strategy_and_greedy_changes_of_it():
    shares = {}
    for program in (baseline, reference, known_response):
        verdicts = [
            judged(task, one, program.strategies(**one.inputs), None)
            for one in instances(np.random.default_rng(3), "default")
        ]
        assert all(verdict.valid for verdict in verdicts)
        shares[program] = np.array([verdict.metrics["share"] for verdict in verdicts])
    gains = shares[reference] - shares[baseline]
    assert gains.min() >= 0
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert shares[baseline].mean() <= shares[known_response].mean() < shares[reference].mean()
