"""esma_continued_fractions: expansions against sympy, exact evaluation, the traps, and what the programs reach."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from speciate.evaluators import Instance, Rejected
from speciate.tasks.symbolic.continued_fractions import EXACT_DIGITS, Formula, agrees, defined, known_constant
from speciate.tasks.symbolic.esma_continued_fractions import baseline, reference
from speciate.tasks.symbolic.esma_continued_fractions.task import instances, judge

PROGRAMS = [baseline, reference]


def exact(constant):
    with mpmath.workdps(EXACT_DIGITS + 30):
        return int(mpmath.floor(constant() * mpmath.mpf(10) ** EXACT_DIGITS))


def problem(constant, digits=48):
    value = exact(constant)
    text = str(value)[: len(str(value)) - EXACT_DIGITS + digits]
    whole = text[: len(text) - digits]
    return Instance("one", {"constants": [f"{whole}.{text[len(whole) :]}"], "digits": digits}, [value])


EULER = problem(lambda: mpmath.exp(1))
OF_E = {"map": [1, 0, 0, 1], "signs": [1], "initial": [2, 1, 2, 1, 1, 4, 1], "recurrence": [0, 0, 2, 0, 0, -1]}


def found(output, instance):
    verdict = judge(instance, output, None)
    assert verdict.valid
    return verdict.metrics["found"]


def test_the_simple_expansion_is_that_of_sympy():
    sympy = pytest.importorskip("sympy")
    iterator = pytest.importorskip("sympy.ntheory.continued_fraction").continued_fraction_iterator
    theirs = list(itertools.islice(iterator(sympy.pi), 20))
    value = exact(lambda: +mpmath.pi) // 10 ** (EXACT_DIGITS - 60)
    assert baseline.expanded(value, 60)[:20] == theirs
    assert reference.expanded((value, 10**60), (value + 1, 10**60), (1,))[:20] == theirs


def test_massey_finds_the_shortest_recurrence():
    terms = [1, 1]
    for _ in range(18):
        terms.append(3 * terms[-1] - terms[-2])
    for program in PROGRAMS:
        assert program.shortest_recurrence(terms) == [3, -1]
        assert program.shortest_recurrence([7] * 9) == [1]


def test_known_formulas_agree_to_all_digits():
    assert found([OF_E], EULER) == 1
    tangent = Formula((1, 0, 0, 1), (1, -1), (1, 1), (Fraction(1),))
    assert tangent.value() is None or not agrees(tangent, EULER.secret[0])
    lambert = {"map": [0, 1, 1, 0], "signs": [-1], "initial": [1, 3], "recurrence": [2, -1]}
    assert found([lambert], problem(lambda: mpmath.tan(1))) == 1
    golden = {"map": [1, 0, 0, 1], "signs": [1], "initial": [1], "recurrence": ["2/2"]}
    assert found([golden], problem(lambda: mpmath.phi + 0)) == 1


def test_a_moebius_map_is_undone():
    moved = problem(lambda: (3 * mpmath.e + 1) / (2 * mpmath.e - 1))
    assert found([OF_E | {"map": [1, 1, 2, -3]}], moved) == 1
    assert found([OF_E | {"map": [1, 1, 2, 3]}], moved) == -0.5


@pytest.mark.parametrize("seed", range(4))
def test_defined_constants_have_their_formula(seed):
    formula = defined(np.random.default_rng(seed))
    assert agrees(formula, exact(known_constant_of(formula)))
    assert not agrees(formula, exact(known_constant_of(formula)) + 10**9)


def known_constant_of(formula):
    value = formula.value()
    return lambda: mpmath.mpf(value.numerator) / value.denominator


def test_constants_of_every_kind_are_positive():
    rng = np.random.default_rng(0)
    with mpmath.workdps(50):
        for kind in ("exponentials", "tangents", "defined"):
            for _ in range(5):
                assert known_constant(rng, kind)() > 0


def test_fits_to_the_visible_digits_count_as_wrong():
    digits = EULER.inputs["digits"]
    terms = baseline.expanded(int(EULER.inputs["constants"][0].replace(".", "")), digits)
    fitted = {"map": [1, 0, 0, 1], "signs": [1], "initial": terms[:30], "recurrence": [1]}
    assert found([fitted], EULER) == -0.5
    assert found([None], EULER) == 0
    growing = {"map": [1, 0, 0, 1], "signs": [1], "initial": [2, 10**19], "recurrence": [10**19]}
    halves = {"map": [1, 0, 0, 1], "signs": [1], "initial": [2, 3], "recurrence": ["1/2"]}
    zeros = {"map": [1, 0, 0, 1], "signs": [1], "initial": [2], "recurrence": [0]}
    for formula in (growing, halves, zeros):
        assert found([formula], EULER) == -0.5


def test_programs_abstain_from_constants_without_a_formula():
    for constant in (lambda: +mpmath.pi, lambda: mpmath.zeta(3)):
        control = problem(constant, digits=40)
        for program in PROGRAMS:
            assert program.find_formulas(**control.inputs) == [None]


def test_the_reference_finds_far_more():
    reached = np.zeros(2)
    for instance in instances(np.random.default_rng(1), "default"):
        reached += [found(program.find_formulas(**instance.inputs), instance) / 3 for program in PROGRAMS]
    assert reached[1] > reached[0] + 0.2


def test_instances_repeat_and_show_the_first_digits():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    assert [i.inputs for i in one] == [i.inputs for i in again]
    assert one[0].inputs != other[0].inputs
    for instance in one:
        for text, value in zip(instance.inputs["constants"], instance.secret, strict=True):
            assert len(text.partition(".")[2]) == instance.inputs["digits"]
            assert (
                0 <= Fraction(value, 10**EXACT_DIGITS) - Fraction(text) < Fraction(1, 10 ** instance.inputs["digits"])
            )


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        [None, None],
        "x",
        [1],
        [{}],
        [OF_E | {"more": 1}],
        [OF_E | {"map": [1, 0, 0]}],
        [OF_E | {"map": [1, 2, 2, 4]}],
        [OF_E | {"map": [1.0, 0, 0, 1]}],
        [OF_E | {"signs": []}],
        [OF_E | {"signs": [2]}],
        [OF_E | {"signs": [True]}],
        [OF_E | {"signs": [1] * 41}],
        [OF_E | {"initial": [10**30] * 9}],
        [OF_E | {"initial": [2]}],
        [OF_E | {"recurrence": []}],
        [OF_E | {"recurrence": ["1/0"]}],
        [OF_E | {"recurrence": ["x"]}],
        [OF_E | {"recurrence": ["9" * 5000]}],
        [OF_E | {"recurrence": [0.5]}],
        [OF_E | {"recurrence": np.zeros(3)}],
    ],
)
def test_hostile_outputs_are_refused(output):
    try:
        verdict = judge(EULER, output, None)
    except Rejected:
        return
    assert not verdict.valid
