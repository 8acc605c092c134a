"""enumerate_conjecture_prove: the sequences by brute force, the language of answers, and what is answered."""

import itertools
from typing import Any

import numpy as np
import pytest
from sympy import sequence

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.discovery import sequences
from speciate.tasks.discovery.enumerate_conjecture_prove import baseline, reference
from speciate.tasks.discovery.enumerate_conjecture_prove.task import Counter, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, counter):
        self.counter = counter

    def term(self, *args, **kwargs):
        return self.counter.serve("term", args, kwargs)


def run(construct, instance):
    counter = Counter(instance)
    return judged(task, instance, construct(Direct(counter), **instance.inputs), counter.log)


class Given:
    """Problem 0 with these terms."""

    def __init__(self, terms):
        self.terms = terms

    def term(self, problem, n):
        return self.terms[n - 1]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_motzkin_paths_are_those_that_stay_above_the_ground():
    rng = np.random.default_rng(0)
    level, pair = (int(np.random.default_rng(0).integers(1, 4, 2)[k]) for k in (0, 1))
    for n, term in enumerate(sequences.motzkin(rng, 6), 1):
        total = 0
        for steps in itertools.product((-1, 0, 1), repeat=n):
            heights = np.cumsum(steps)
            if heights.min() >= 0 and heights[-1] == 0:
                total += level ** steps.count(0) * pair ** steps.count(1)
        assert term == total


def test_ways_to_pay_are_counted_one_by_one():
    coins = (1, *np.random.default_rng(3).choice(np.arange(2, 6), 2, replace=False))
    for n, term in enumerate(sequences.partitions(np.random.default_rng(3), 12), 1):
        amounts = itertools.product(*(range(n // coin + 1) for coin in coins))
        assert term == sum(int(np.dot(amount, coins)) == n for amount in amounts)


def test_walks_have_the_recurrence_that_sympy_finds():
    terms = sequences.walks(np.random.default_rng(1), 40)
    found: Any = sequence(tuple(terms[:16])).find_linear_recurrence(16)
    ours = next(c for c in reference.conjectures(terms[:16]) if reference.holds(c, terms))
    order = len(ours) - 1
    assert [-row[0] / ours[order][0] for row in reversed(ours[:order])] == [float(c) for c in found]
    assert sequences.extended(terms[:order], ours, 40) == terms


@pytest.mark.parametrize(
    ("generator", "shape"),
    [(sequences.motzkin, (2, 1)), (sequences.matchings, (2, 1)), (sequences.polynomial, (None, 0))],
)
def test_the_families_are_answered_and_hold_beyond_what_was_seen(generator, shape):
    for seed in range(5):
        terms = generator(np.random.default_rng(seed), 100)
        found = reference.answer(Given(terms), 0, 4000)
        assert found is not None
        assert sequences.extended(found["first"], found["coefficients"], 100) == terms
        assert len(found["coefficients"][0]) == shape[1] + 1
        assert shape[0] in (None, len(found["coefficients"]) - 1)


@pytest.mark.parametrize("generator", [sequences.divisors, sequences.digits])
def test_without_a_rule_the_reference_abstains(generator):
    for seed in range(5):
        assert reference.answer(Given(generator(np.random.default_rng(seed), 100)), 0, 9000) is None


def test_a_conjecture_that_fits_the_first_cases_is_refuted_by_the_held_out_ones():
    terms = [n**2 for n in range(1, 10)] + [0] * 20
    assert reference.answer(Given(terms), 0, 700) is None
    assert baseline.answer(Given(terms), 0, 700) is not None


def test_a_recurrence_that_gives_no_integer_or_no_next_term_gives_nothing():
    assert sequences.extended([1, 1], [[-1], [-1], [1]], 8) == [1, 1, 2, 3, 5, 8, 13, 21]
    assert sequences.extended([1], [[-1], [2]], 3) is None
    assert sequences.extended([1], [[-1, 0], [3, -1]], 5) is None


def test_cases_cost_their_square_from_the_problems_own_budget(smoke):
    counter = Counter(smoke)
    oracle = Direct(counter)
    assert [oracle.term(2, n) for n in (1, 2, 50)] == [smoke.secret[2][n - 1] for n in (1, 2, 50)]
    assert counter.log.spent == 1 + 4 + 2500
    with pytest.raises(OracleRefused, match="budget"):
        oracle.term(2, 23)
    assert oracle.term(3, 50) == smoke.secret[3][49]


@pytest.mark.parametrize(
    "question", [(), (0,), (8, 1), (-1, 1), (0, 0), (0, 1.0), (True, 1), (0, 101), ("0", 1), (0, 1, 2)]
)
def test_other_questions_are_refused(smoke, question):
    with pytest.raises(OracleRefused):
        Direct(Counter(smoke)).term(*question)


@pytest.mark.parametrize(
    "answer",
    [
        0,
        {},
        {"first": [1]},
        {"first": [1], "coefficients": []},
        {"first": [], "coefficients": [[1], [1]]},
        {"first": [1], "coefficients": [[0], [1]]},
        {"first": [1], "coefficients": [[1], [1, 2]]},
        {"first": [1.0], "coefficients": [[1], [-1]]},
        {"first": [True], "coefficients": [[1], [-1]]},
        {"first": [10**61], "coefficients": [[1], [-1]]},
        {"first": [1] * 25, "coefficients": [[1], [-1]]},
        {"first": [1], "coefficients": [[1], [[-1]]]},
    ],
)
def test_what_is_no_answer_is_invalid(smoke, answer):
    assert not judged(task, smoke, [answer] + [None] * 7, None).valid


def test_terms_by_heart_are_wrong_and_wrong_answers_cost(smoke):
    by_heart = [{"first": terms[:24], "coefficients": [[-1], [1]]} for terms in smoke.secret]
    assert judged(task, smoke, by_heart, None).metrics["points"] == pytest.approx(-0.25)
    assert judged(task, smoke, [None] * 8, None).metrics["points"] == 0
    for output in (None, [], [None] * 7):
        assert not judged(task, smoke, output, None).valid


def test_checking_answers_more_and_guesses_less():
    ours = instances(np.random.default_rng(4), "default")
    points = {}
    for program in (baseline, reference):
        verdicts = [run(program.construct, instance) for instance in ours]
        assert all(verdict.valid for verdict in verdicts)
        points[program] = np.array([verdict.metrics["points"] for verdict in verdicts])
    gains = points[reference] - points[baseline]
    assert gains.min() > 0
    assert gains.mean() > 0.4
    # Abstaining on everything must not pay.
    assert points[baseline].min() > 0
