"""fast_altmin_completion: the operators against dense loops and lsmr, their rules and costs, and the work done."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import lsmr

from speciate.evaluators import CallLog, OracleRefused
from speciate.tasks.linear_systems.fast_altmin_completion import baseline, known_scaled_gradient, reference
from speciate.tasks.linear_systems.fast_altmin_completion.task import Entries, instances, judge

PROGRAMS = [baseline, known_scaled_gradient, reference]


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, entries):
        self.entries = entries

    def __getattr__(self, method):
        return lambda *args, **kwargs: self.entries.serve(method, args, kwargs)


def run(complete, instance):
    entries = Entries(instance)
    output = complete(Direct(entries), **instance.inputs)
    return judge(instance, output, entries.log)


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@pytest.fixture
def opened(smoke):
    entries = Entries(smoke)
    return Direct(entries), entries.log


def rows_of(smoke, i):
    """The known places of a row."""
    return np.flatnonzero(smoke.secret.mask[i])


def test_observe_and_apply_are_the_sums_over_known_places(smoke, opened):
    oracle, log = opened
    U, V, M = log.named["U"].copy(), log.named["V"].copy(), smoke.secret.matrix
    oracle.observe("B", "V")
    oracle.apply("A", "U", "V")
    oracle.observe("C", "U")
    for i in (0, 17):
        known = rows_of(smoke, i)
        assert log.named["B"][i] == pytest.approx(sum(M[i, j] * V[j] for j in known))
        assert log.named["A"][i] == pytest.approx(sum(U[i] @ V[j] * V[j] for j in known))
    column = np.flatnonzero(smoke.secret.mask[:, 5])
    assert log.named["C"][5] == pytest.approx(sum(M[i, 5] * U[i] for i in column))
    assert log.spent == 1 + 2 + 1


def test_solve_is_the_least_squares_of_every_row(smoke, opened):
    oracle, log = opened
    V = log.named["V"].copy()
    oracle.observe("B", "V")
    oracle.solve("W", "B", "V")
    assert log.spent == 1 + smoke.inputs["k"]
    for i in (0, 3, 60):
        known = rows_of(smoke, i)
        theirs: Any = lsmr(V[known], smoke.secret.matrix[i, known], atol=1e-13, btol=1e-13)
        assert log.named["W"][i] == pytest.approx(theirs[0], rel=1e-6, abs=1e-9)


def test_free_operations_are_what_they_say(opened):
    oracle, log = opened
    U, V = log.named["U"].copy(), log.named["V"].copy()
    a = np.arange(len(U), dtype=float)
    oracle.combine("X", a, "U", 2, "U")
    assert log.named["X"] == pytest.approx((a[:, None] + 2) * U)
    assert oracle.dot("X", "U") == pytest.approx(((a[:, None] + 2) * U * U).sum(axis=1))
    oracle.orthonormalise("V", "U")
    assert log.named["V"].T @ log.named["V"] == pytest.approx(np.eye(V.shape[1]), abs=1e-12)
    assert log.named["U"] @ log.named["V"].T == pytest.approx(U @ V.T)
    assert log.spent == 0


def test_conjugate_gradients_come_to_the_exact_solution(smoke, monkeypatch):
    monkeypatch.setattr(reference, "INNER", 30)
    entries = Entries(smoke)
    oracle = Direct(entries)
    reference.improve(oracle, "U", "V")
    oracle.observe("B", "V")
    oracle.solve("W", "B", "V")
    assert entries.log.named["U"] == pytest.approx(entries.log.named["W"], rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("observe", ()),
        ("observe", ("B", "nothing")),
        ("observe", (3, "V")),
        ("observe", ("B" * 21, "V")),
        ("observe", ("B", np.eye(100)[:, :8])),
        ("apply", ("A", "U", "U")),
        ("solve", ("W", "V", "V")),
        ("combine", ("X", 1.0, "U", 1.0, "V")),
        ("combine", ("X", np.ones(100), "U", 1.0, "U")),
        ("combine", ("X", np.nan, "U", 1.0, "U")),
        ("combine", ("X", "1", "U", 1.0, "U")),
        ("combine", ("X", 1e13, "U", 1.0, "U")),
        ("dot", ("U", "V")),
        ("orthonormalise", ("U", "U")),
        ("named", ()),
    ],
)
def test_malformed_calls_are_refused(opened, method, arguments):
    oracle, log = opened
    before = {name: matrix.copy() for name, matrix in log.named.items()}
    with pytest.raises(OracleRefused):
        getattr(oracle, method)(*arguments)
    assert log.named.keys() == before.keys()
    assert all(np.array_equal(log.named[name], matrix) for name, matrix in before.items())


def test_names_and_units_are_limited(opened):
    oracle, log = opened
    for number in range(14):
        oracle.combine(f"x{number}", 1.0, "U", 0.0, "U")
    with pytest.raises(OracleRefused):
        oracle.combine("one more", 1.0, "U", 0.0, "U")
    for _ in range(1500):
        oracle.apply("x0", "U", "V")
    with pytest.raises(OracleRefused):
        oracle.observe("x0", "V")
    assert log.spent == 3000


def test_no_reply_tells_an_entry(smoke):
    """Programs get row products alone: nothing that a call returns has a number for each place or factor entry."""
    entries = Entries(smoke)
    reference.complete(Direct(entries), **smoke.inputs)
    replies = [call.reply for call in entries.log.calls if call.reply is not None]
    assert replies
    assert all(reply.shape in ((110,), (100,)) for reply in replies)


def test_too_large_errors_and_swapped_factors_are_invalid(smoke):
    assert not judge(smoke, None, None).valid
    assert not judge(smoke, 1.0, CallLog()).valid
    assert not run(lambda oracle, **inputs: None, smoke).valid
    assert not run(lambda oracle, **inputs: reference.improve(oracle, "U", "V"), smoke).valid

    def swapped(oracle, **inputs):
        reference.complete(oracle, **inputs)
        oracle.combine("W", 1.0, "U", 0.0, "U")
        oracle.combine("U", 1.0, "V", 0.0, "V")

    assert not run(swapped, smoke).valid
    assert run(reference.complete, smoke).valid


def test_instances_repeat_and_have_the_promised_entries():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.secret.mask, b.secret.mask)
        assert np.array_equal(a.secret.matrix, b.secret.matrix)
        m, n, k = (a.inputs[name] for name in "mnk")
        assert a.secret.mask.sum() == 4 * k * (m + n)
        assert m != n
        assert np.linalg.matrix_rank(a.secret.matrix) == k


def test_rough_half_steps_save_work_and_more_of_it_at_larger_ranks():
    ratios = {}
    for instance in instances(np.random.default_rng(4), "default")[::2]:
        exact, scaled, rough = (run(program.complete, instance) for program in PROGRAMS)
        assert exact.valid
        assert scaled.valid
        assert rough.valid
        ratios[instance.inputs["k"]] = exact.metrics["units"] / rough.metrics["units"]
        assert rough.metrics["units"] < scaled.metrics["units"]
    assert 1.3 < ratios[10] < ratios[20] < ratios[30]


def test_smoke_instances_tell_the_programs_apart(smoke):
    assert run(reference.complete, smoke).metrics["units"] < 0.9 * run(baseline.complete, smoke).metrics["units"]
