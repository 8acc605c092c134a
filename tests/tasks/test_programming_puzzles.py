"""programming_puzzles: templates and their witnesses, what counts as an answer, and how many are solved."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.discovery import puzzles
from speciate.tasks.discovery.programming_puzzles import baseline, reference
from speciate.tasks.discovery.programming_puzzles.task import Checker, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, checker):
        self.checker = checker

    def check(self, *args, **kwargs):
        return self.checker.serve("check", args, kwargs)


def run(solve, instance):
    checker = Checker(instance)
    verdict = judged(task, instance, solve(Direct(checker), **instance.inputs), checker.log)
    assert verdict.valid
    return verdict.metrics


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@pytest.mark.parametrize("template", puzzles.TEMPLATES, ids=lambda template: template.__name__)
def test_source_and_function_agree_and_the_witness_solves(template):
    rng = np.random.default_rng(0)
    others = [0, 1, 7, -3, 31, "", "a", "ab", [], [0], [3, 1], list(range(9))]
    for _ in range(20):
        puzzle = template(rng)
        assert puzzles.solves(puzzle, puzzle.witness)
        for x in (puzzle.witness, *others):
            if puzzles.well_typed(puzzle.kind, x):
                try:
                    told = bool(eval(puzzle.source, {"x": x}))
                except (IndexError, ValueError):
                    told = False
                assert puzzles.solves(puzzle, x) is told


class Always(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        (puzzles.added, True),
        (puzzles.added, 3.0),
        (puzzles.root, 10**10),
        (puzzles.root, None),
        (puzzles.palindrome, Always("a")),
        (puzzles.palindrome, "a" * 201),
        (puzzles.counting, [True] * 5),
        (puzzles.counting, (0, 1)),
        (puzzles.falling, []),
        (puzzles.total, [[1]]),
    ],
)
def test_what_is_not_of_the_type_is_no_answer(template, answer):
    assert not puzzles.solves(template(np.random.default_rng(0)), answer)


def test_answers_are_charged_one_by_one(smoke):
    checker = Checker(smoke)
    witness = smoke.secret[0].witness
    assert Direct(checker).check(0, [None, witness, "no"]) == [False, True, False]
    assert checker.log.spent == 3
    with pytest.raises(OracleRefused, match="budget"):
        Direct(checker).check(0, [witness] * 600)
    assert judged(task, smoke, None, checker.log).metrics["solved"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("question", [(), (0,), (6, [1]), (-1, [1]), (True, [1]), (0, 1), (0, "ab"), ("0", [1])])
def test_malformed_calls_are_refused_and_charged(smoke, question):
    checker = Checker(smoke)
    with pytest.raises(OracleRefused):
        Direct(checker).check(*question)
    assert checker.log.spent >= 1


def test_returned_answers_count_for_nothing(smoke):
    witnesses = {k: puzzle.witness for k, puzzle in enumerate(smoke.secret)}
    assert not judged(task, smoke, witnesses, Checker(smoke).log).valid


def test_constants_are_copied_from_the_puzzle():
    assert baseline.constants("x + 20 == 57")[:2] == [20, 57]
    assert sorted(map(repr, reference._copied("set(x) <= set([3, 4]) and x[0] > 5 and 'ab' in x"))) == sorted(
        map(repr, [[3, 4], 3, 4, 0, 5, "ab"])
    )


def test_values_come_in_the_order_of_their_cost_with_the_rules_that_made_them():
    costs = dict.fromkeys(reference.RULES, 1)
    answers, rules = reference._answers({"source": "x == 7 + 5", "kind": "int"}, costs, 60)
    assert answers[:2] == [7, 5]
    assert len(answers) == len({repr(answer) for answer in answers}) == 60
    place = answers.index(12)
    assert rules[place] == ("add", "copy", "copy")
    assert [len(made) for made in rules] == sorted(len(made) for made in rules)
    cheaper = reference._costs(dict.fromkeys(reference.RULES, 1.0) | {"add": 50.0})
    assert cheaper["add"] < cheaper["subtract"]


def test_instances_repeat_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(seed), "smoke") for seed in (1, 1, 2))
    assert [one.inputs for one in first] == [one.inputs for one in again]
    assert [one.inputs for one in first] != [one.inputs for one in other]


def test_a_guided_enumeration_solves_more_and_not_all():
    ours = instances(np.random.default_rng(1), "default")
    solved = {
        program: np.array([run(program.solve, one)["solved"] for one in ours]) for program in (baseline, reference)
    }
    gains = solved[reference] - solved[baseline]
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert solved[baseline].mean() > 0.4
    assert solved[reference].mean() < 0.95
