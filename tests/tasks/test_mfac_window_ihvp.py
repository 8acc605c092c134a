"""mfac_window_ihvp: the products against dense linear algebra, what is refused, and the work saved."""

import time

import numpy as np
import pytest
from scipy.linalg import cho_factor, cho_solve

from speciate.evaluators import CallLog, OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.second_order.mfac_window_ihvp import baseline, reference
from speciate.tasks.second_order.mfac_window_ihvp.task import Exchange, instances, stream, task
from speciate.tasks.second_order.workloads import drifting_gradients, residual


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, served):
        self.served = served

    def exchange(self, *args):
        return self.served.serve("exchange", args, {})


def run(program, instance):
    served = Exchange(instance)
    return judged(task, instance, program(Direct(served), **instance.inputs), served.log)


def small(repeated=False):
    return stream(np.random.default_rng(0), "small", d=500, m=16, steps=20, damp=1e-4, repeated=repeated)


def altered(change):
    """The reference whose answers go through ``change``."""

    class Between:
        def __init__(self, oracle):
            self.oracle = oracle

        def exchange(self, u):
            return self.oracle.exchange(None if u is None else change(u))

    return lambda oracle, **inputs: reference.precondition_stream(Between(oracle), **inputs)


@pytest.mark.parametrize("program", [baseline, reference])
@pytest.mark.parametrize("repeated", [False, True])
def test_answers_agree_with_a_dense_cholesky_solve(program, repeated):
    instance = small(repeated)
    m, damp, answers = instance.inputs["m"], instance.inputs["damp"], []
    assert run(lambda oracle, **inputs: program.precondition_stream(_Noting(oracle, answers), **inputs), instance).valid
    gradients = instance.secret.gradients
    for t in (0, 7, 19):
        window = gradients[t + 1 : t + 1 + m]
        dense = damp * np.eye(window.shape[1]) + window.T @ window / m
        exact = cho_solve(cho_factor(dense), window[-1])
        assert np.linalg.norm(answers[t] - exact) < 1e-3 * np.linalg.norm(exact)
        assert residual(window, damp, answers[t], window[-1]) < 1e-6


class _Noting:
    def __init__(self, oracle, answers):
        self.oracle, self.answers = oracle, answers

    def exchange(self, u):
        if u is not None:
            self.answers.append(u)
        return self.oracle.exchange(u)


def test_repeated_gradients_make_the_window_ill_conditioned():
    plain, repeated = (drifting_gradients(np.random.default_rng(0), 16, 400, again) for again in (False, True))
    conditions = [np.linalg.cond(window @ window.T) for window in (plain, repeated)]
    assert conditions[1] > 1e4 * conditions[0]


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.gradients, b.secret.gradients)
        assert not np.allclose(a.secret.gradients, c.secret.gradients)
        assert np.array_equal(a.inputs["G0"], a.secret.gradients[: a.inputs["m"]])


@pytest.mark.parametrize(
    "change",
    [
        lambda u: u * (1 + 3e-6),
        np.zeros_like,
        lambda u: u.astype(np.float16).astype(float),
        lambda u: u * np.nan,
        lambda u: u[:-1],
        lambda u: u[None],
        lambda u: "u",
        lambda u: u + 0j,
        lambda u: True,
    ],
)
def test_approximations_and_spoiled_answers_are_refused(change):
    with pytest.raises(OracleRefused):
        run(altered(change), small())


def test_the_gradient_over_the_damping_is_not_enough():
    def first_order(oracle, d, m, damp, T, G0):
        g = oracle.exchange(None)
        for _ in range(T):
            g = oracle.exchange(g / damp)
        return T

    with pytest.raises(OracleRefused, match="differs"):
        run(first_order, small())


def test_the_next_gradient_is_told_only_for_an_answer_and_none_is_skipped():
    instance = small()
    served = Exchange(instance)
    oracle = Direct(served)
    with pytest.raises(OracleRefused, match="None"):
        oracle.exchange(np.zeros(500))
    oracle.exchange(None)
    with pytest.raises(OracleRefused):
        oracle.exchange(None)
    steps = instance.inputs["T"]
    for output, log in ((steps, served.log), (steps, CallLog()), (steps, None)):
        assert not judged(task, instance, output, log).valid


@pytest.mark.parametrize("output", [None, 0, "20", [20], 20.5, np.nan, True, 21])
def test_other_outputs_than_the_number_of_steps_are_invalid(output):
    def answering(oracle, **inputs):
        reference.precondition_stream(oracle, **inputs)
        return output

    assert not run(answering, small()).valid
    assert run(reference.precondition_stream, small()).valid


def test_the_reference_needs_a_fraction_of_the_baselines_time():
    instance = instances(np.random.default_rng(0), "default")[0]
    spent = []
    for program in (baseline, reference, baseline, reference):
        began = time.process_time()
        assert run(program.precondition_stream, instance).valid
        spent.append(time.process_time() - began)
    # What the trusted side takes for its residuals is in both.
    assert spent[0] + spent[2] > 1.5 * (spent[1] + spent[3])


def test_generic_cheats_get_nothing():
    folder = load_task("mfac_window_ihvp")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
