"""bsvrb_multiblock: derivatives on one sample, the closed form, what is charged and refused, and the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import blocks
from speciate.tasks.bilevel.bsvrb_multiblock import baseline, known_moving_average, reference
from speciate.tasks.bilevel.bsvrb_multiblock.task import COSTS, Samples, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, samples):
        self.samples = samples

    def __getattr__(self, method):
        return lambda *args: self.samples.serve(method, args, {})


def run(solve, instance):
    samples = Samples(instance)
    return judged(task, instance, solve(Direct(samples), **instance.inputs), samples.log)


def gaps(program, seed):
    verdicts = [run(program.solve, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts])


def problem():
    return blocks.blocks(np.random.default_rng(0), count=5, nx=3, ny=4, noise=0.5)


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_derivatives_on_one_sample_are_those_of_one_function():
    p, rng = problem(), np.random.default_rng(1)
    at = p.sample(rng, np.array([3, 1]))
    x, (y, v) = rng.standard_normal(3), rng.standard_normal((2, 2, 4))

    def lower(x, y):
        curved = np.einsum("ij,ijk,ik->i", y, p.hessians[at.blocks] + at.hessian, y) / 2
        pulls = (p.matrices[at.blocks] + at.matrix) @ x + p.offsets[at.blocks] - at.lower
        return curved - (y * pulls).sum(axis=1)

    for i in range(2):
        moved = approx_fprime(y[i], lambda row, i=i: lower(x, np.where(np.arange(2)[:, None] == i, row, y))[i], 1e-6)
        assert p.lower_gradients(at, x, y)[i] == pytest.approx(moved, abs=1e-4)
    in_y, in_x = p.lower_products(at, v)
    shift = 1e-5
    assert in_y == pytest.approx(
        (p.lower_gradients(at, x, y + shift * v) - p.lower_gradients(at, x, y - shift * v)) / (2 * shift), abs=1e-6
    )
    for i in range(2):
        slope = approx_fprime(x, lambda point, i=i: p.lower_gradients(at, point, y)[i] @ v[i], 1e-6)
        assert in_x[i] == pytest.approx(slope, abs=1e-5)


def test_samples_are_right_on_average_and_have_the_stated_errors():
    p, rng = problem(), np.random.default_rng(2)
    x, y = np.ones(3), np.zeros((1, 4))
    draws = np.array([p.upper_gradients(p.sample(rng, np.array([2])), x, y)[1][0] for _ in range(4000)])
    assert draws.mean(axis=0) == pytest.approx(-p.wanted[2], abs=0.05)
    assert draws.std(axis=0) == pytest.approx(0.5 * np.ones(4), rel=0.1)
    draws = np.array([p.lower_gradients(p.sample(rng, np.array([2])), x, y)[0] for _ in range(4000)])
    assert draws.mean(axis=0) == pytest.approx(-p.matrices[2] @ x - p.offsets[2], abs=0.05)
    curved = np.array([p.lower_products(p.sample(rng, np.array([2])), np.eye(4)[:1])[0][0] for _ in range(4000)])
    assert curved[:, 0].std() == pytest.approx(0.05, rel=0.1)


def test_the_closed_form_is_that_of_the_lower_minimisers():
    p = problem()

    def hyper(x):
        found = [np.linalg.solve(h, m @ x + b) for h, m, b in zip(p.hessians, p.matrices, p.offsets, strict=True)]
        return 0.5 * np.mean(np.sum((np.array(found) - p.wanted) ** 2, axis=1)) + 0.05 * x @ x

    best = minimize(hyper, np.zeros(3), tol=1e-10)
    assert p.optimum == pytest.approx(best.x, abs=1e-4)
    for x in np.random.default_rng(3).standard_normal((3, 3)):
        assert p.excess(x) == pytest.approx(hyper(x) - best.fun, abs=1e-6)


def test_instances_are_deterministic_and_samples_are_the_same_for_every_program():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        replies = []
        for instance in (a, b, c):
            oracle = Direct(Samples(instance))
            oracle.sample([0, 1, 2, 3])
            replies.append(oracle.gy(np.zeros(10), np.zeros((4, 8))))
        assert np.array_equal(replies[0], replies[1])
        assert not np.array_equal(replies[0], replies[2])


def test_a_sample_stays_until_the_next_and_calls_are_charged_by_kind():
    samples = Samples(smoke())
    oracle, x, y = Direct(samples), np.zeros(10), np.zeros((4, 8))
    oracle.sample([4, 1, 2, 9])
    one, other = oracle.gy(x, y), oracle.gy(x, y)
    assert np.array_equal(one, other)
    assert np.array_equal(oracle.derivatives(x, y, y)[0], one)
    oracle.hyy(x, y, y)
    assert samples.log.spent == sum(COSTS.values()) + 1 == 9
    oracle.sample([4, 1, 2, 9])
    assert not np.array_equal(oracle.gy(x, y), one)
    for _ in range(5988):
        oracle.gy(x, y)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.derivatives(x, y, y)


@pytest.mark.parametrize("chosen", [None, [0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2, 2], [0, 1, 2, 10], [0, 1, 2, -1], "01"])
def test_only_so_many_different_blocks_are_opened(chosen):
    samples = Samples(smoke())
    with pytest.raises(OracleRefused):
        Direct(samples).sample(chosen)
    with pytest.raises(OracleRefused, match="open"):
        Direct(samples).gy(np.zeros(10), np.zeros((4, 8)))
    assert samples.log.spent == 2


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 10)), np.full(10, np.nan), [1e10] * 10])
def test_other_arrays_are_refused_but_charged_and_no_answers(bad):
    instance = smoke()
    samples = Samples(instance)
    oracle, x, y = Direct(samples), np.zeros(10), np.zeros((4, 8))
    oracle.sample([0, 1, 2, 3])
    for wrong in ((bad, y), (x, bad), (x,), (x, y, y)):
        with pytest.raises(OracleRefused):
            oracle.gy(*wrong)
    with pytest.raises(OracleRefused):
        oracle.derivatives(x, y, bad)
    assert samples.log.spent == 10
    assert not judged(task, instance, bad, None).valid


def test_gaps_are_one_at_zero_zero_at_the_optimum_and_bounded():
    for instance in instances(np.random.default_rng(0), "default"):
        points = (np.zeros(10), instance.secret.problem.optimum, np.full(10, 1e9))
        assert [judged(task, instance, x, None).metrics["gap"] for x in points] == pytest.approx([1, 0, 1e3])


def test_one_sample_for_ever_is_worse():
    """It has no variance, but its own errors."""

    def stubborn(oracle, nx, ny, m, k, budget, seed):
        x, y, v = np.zeros(nx), np.zeros((k, ny)), np.zeros((k, ny))
        oracle.sample(list(range(k)))
        for _ in range(budget // 5 - 1):
            gy, fx, fy, hyy, hxy = oracle.derivatives(x, y, v)
            y, v, x = y - 0.3 * gy, v - 0.3 * (hyy - fy), x - 0.01 * (fx - hxy.mean(axis=0))
        return x

    instance = instances(np.random.default_rng(4), "default")[0]
    assert run(stubborn, instance).metrics["gap"] > 5 * run(reference.solve, instance).metrics["gap"]


def test_trackers_win_over_restarting_and_moving_averages_do_too():
    plain, paper, averages = (
        np.log(np.concatenate([gaps(program, seed) for seed in (5, 6)]) + 1e-4)
        for program in (baseline, reference, known_moving_average)
    )
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert averages.mean() < plain.mean() - 0.5


def test_generic_cheats_get_nothing():
    folder = load_task("bsvrb_multiblock")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
