"""adahessian_scale_free: derivatives, minima, units, what the oracle charges and refuses, and the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.second_order.adahessian_scale_free import baseline, known_probed_adam, reference
from speciate.tasks.second_order.adahessian_scale_free.task import KINDS, Scaled, Slopes, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, slopes):
        self.slopes = slopes

    def grad(self, *args):
        return self.slopes.serve("grad", args, {})

    def hvp(self, *args):
        return self.slopes.serve("hvp", args, {})


def run(minimise, instance):
    slopes = Slopes(instance)
    return judged(task, instance, minimise(Direct(slopes), **instance.inputs), slopes.log)


def gaps(program, seed):
    verdicts = [run(program.minimise, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts])


def smoke():
    return instances(np.random.default_rng(3), "smoke")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_agree_with_finite_differences_and_the_least_value_with_lbfgs(kind):
    rng = np.random.default_rng(0)
    smooth = KINDS[kind](rng, 9)
    z, v = smooth.start + 0.1 * rng.standard_normal(9), rng.standard_normal(9)
    assert smooth.gradient(z) == pytest.approx(approx_fprime(z, smooth.value, 1e-7), abs=1e-4)
    slope = (smooth.gradient(z + 1e-6 * v) - smooth.gradient(z - 1e-6 * v)) / 2e-6
    assert smooth.product(z, v) == pytest.approx(slope, abs=1e-6)
    found = minimize(smooth.value, smooth.start, jac=smooth.gradient, method="L-BFGS-B", options={"gtol": 1e-9})
    assert smooth.least() <= found.fun + 1e-10
    assert smooth.least() == pytest.approx(found.fun, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_diagonal_outweighs_the_rest_of_its_row(kind):
    smooth = KINDS[kind](np.random.default_rng(0), 99)
    hessian = np.stack([smooth.product(smooth.start, unit) for unit in np.eye(smooth.start.size)])
    diagonal = np.diag(hessian)
    off = np.sqrt((hessian**2).sum(1) - diagonal**2)
    assert np.median(off / diagonal) < 0.8
    assert np.allclose(hessian, hessian.T)


def test_the_oracle_answers_in_the_programs_unit():
    smooth = KINDS["chain"](np.random.default_rng(0), 9)
    scaled = Scaled(smooth, 1e3, smooth.least())
    instance = instances(np.random.default_rng(0), "smoke")[0]
    oracle = Direct(Slopes(type(instance)("one", {"x0": np.zeros(9), "budget": 90}, scaled)))
    x, v = np.random.default_rng(1).standard_normal((2, 9)) * 1e3
    step = 1e-3
    assert oracle.hvp(x, v) == pytest.approx((oracle.grad(x + step * v) - oracle.grad(x - step * v)) / (2 * step), 1e-4)
    assert oracle.grad(x) == pytest.approx(approx_fprime(x, lambda at: smooth.value(scaled.z(at)), 1e-4), abs=1e-6)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.smooth.start, b.secret.smooth.start)
        assert a.secret.least == b.secret.least != c.secret.least
        assert not a.inputs["x0"].any()
    assert {a.secret.unit for a in first} == {1e-3, 1.0, 1e3}


def test_calls_are_charged_by_kind_and_stop_at_the_budget():
    slopes = Slopes(smoke())
    oracle, x = Direct(slopes), np.zeros(16)
    for _ in range(29):
        oracle.grad(x)
        oracle.hvp(x, x)
    assert slopes.log.spent == 87
    oracle.hvp(x, x)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.hvp(x, x)
    oracle.grad(x)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.grad(x)


@pytest.mark.parametrize(
    "x",
    [None, "x", 0.0, [], np.zeros(15), np.zeros((1, 16)), np.full(16, np.nan), np.full(16, 2e8), np.zeros(16, bool)],
)
def test_other_points_are_refused_but_charged_and_no_answers(x):
    slopes = Slopes(smoke())
    with pytest.raises(OracleRefused):
        Direct(slopes).grad(x)
    with pytest.raises(OracleRefused):
        Direct(slopes).hvp(np.zeros(16), x)
    with pytest.raises(OracleRefused):
        Direct(slopes).grad(np.zeros(16), np.zeros(16))
    assert slopes.log.spent == 4
    assert not judged(task, smoke(), x, None).valid


def test_gaps_are_one_at_the_start_and_bounded():
    for instance in instances(np.random.default_rng(0), "default"):
        scaled = instance.secret
        assert judged(task, instance, instance.inputs["x0"], None).metrics["gap"] == pytest.approx(1)
        assert judged(task, instance, np.full(instance.inputs["x0"].size, 1e8), None).metrics["gap"] <= 1e3
        assert scaled.gap(scaled.unit * np.ones(instance.inputs["x0"].size)) > 0


def test_baseline_follows_torch_adam():
    torch = pytest.importorskip("torch")
    instance = smoke()
    parameter = torch.nn.Parameter(torch.zeros(16, dtype=torch.float64))
    optimizer = torch.optim.Adam([parameter], lr=1e-3)
    oracle = Direct(Slopes(instance))
    for t in range(90):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - t / 90)
        parameter.grad = torch.tensor(oracle.grad(parameter.detach().numpy()))
        optimizer.step()
    found = baseline.minimise(Direct(Slopes(instance)), **instance.inputs)
    assert found == pytest.approx(parameter.detach().numpy(), abs=1e-9)


def test_the_reference_moves_by_the_same_multiple_of_the_unit_in_every_unit():
    smooth = KINDS["chain"](np.random.default_rng(0), 16)
    make = type(smoke())
    inputs = {"x0": np.zeros(16), "budget": 300}
    found = [
        reference.minimise(Direct(Slopes(make("one", inputs, Scaled(smooth, unit, 0.0)))), **inputs) / unit
        for unit in (1e-3, 1.0)
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_the_reference_wins_over_the_units_taken_together_and_a_probe_does_as_well():
    plain, paper, probed = (np.log(gaps(program, 5)) for program in (baseline, reference, known_probed_adam))
    assert plain.mean() - paper.mean() > 3
    assert probed.mean() < paper.mean()
    assert plain[::3].mean() < paper[::3].mean()


def test_generic_cheats_get_nothing():
    folder = load_task("adahessian_scale_free")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
