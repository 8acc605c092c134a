"""programmable_vi: the models' gradients, what the oracle charges, unbiased estimates, and the gaps reached."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import expit

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.zeroth_order import posteriors
from speciate.tasks.zeroth_order.posteriors import MeanField
from speciate.tasks.zeroth_order.programmable_vi import baseline, known_pathwise, reference
from speciate.tasks.zeroth_order.programmable_vi.task import Density, instances, task

KINDS = {
    "switches": lambda rng: posteriors.switched_regression(rng, 5, 3, 9),
    "assignments": lambda rng: posteriors.assignments(rng, 2, 6),
    "sparse": lambda rng: posteriors.spike_and_slab(rng, 5),
}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, density):
        self.density = density

    def terms(self, *args, **kwargs):
        return self.density.serve("terms", args, kwargs)

    def gradient(self, *args, **kwargs):
        return self.density.serve("gradient", args, kwargs)


def run(fit, instance):
    density = Density(instance)
    return judged(task, instance, fit(Direct(density), **instance.inputs), density.log)


def smoke(number=0):
    return instances(np.random.default_rng(3), "smoke")[number]


def unknowns(model, rows=4):
    rng = np.random.default_rng(1)
    return rng.standard_normal((rows, model.continuous)), (rng.random((rows, model.binary)) < 0.5).astype(float)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_sum_of_terms(kind):
    model = KINDS[kind](np.random.default_rng(0))
    z, b = unknowns(model)
    for k, move in enumerate(1e-5 * np.eye(model.continuous)):
        slope = (model.terms(z + move, b) - model.terms(z - move, b)).sum(axis=1) / 2e-5
        assert model.gradient(z, b)[:, k] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_changes_the_terms_that_it_touches_and_no_others(kind):
    model = KINDS[kind](np.random.default_rng(0))
    z, b = unknowns(model, rows=50)
    for k, touched in enumerate(model.touched):
        flipped = b.copy()
        flipped[:, k] = 1 - b[:, k]
        changed = np.abs(model.terms(z, b) - model.terms(z, flipped)).max(axis=0) > 0
        assert set(np.flatnonzero(changed)) == set(touched)


def test_the_bound_is_that_of_torchs_distributions():
    """The terms of the regression, and the entropy, against torch."""
    rng = np.random.default_rng(0)
    q = MeanField(rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal(2))
    normal = torch.distributions.Normal(torch.tensor(q.mean), torch.tensor(np.exp(q.log_sd)))
    coins = torch.distributions.Bernoulli(logits=torch.tensor(q.logits))
    assert q.entropy() == pytest.approx(float(normal.entropy().sum() + coins.entropy().sum()))
    model = posteriors.spike_and_slab(np.random.default_rng(0), 4)
    z, b = unknowns(model)
    prior = torch.distributions.Bernoulli(0.3).log_prob(torch.tensor(b)).numpy()
    assert model.terms(z, b)[:, -4:] == pytest.approx(prior)


@pytest.mark.parametrize("kind", KINDS)
def test_flipping_groups_gives_the_difference_of_every_site(kind):
    model = KINDS[kind](np.random.default_rng(0))
    z, b = unknowns(model, rows=1)
    groups = reference._groups(model.touched)
    assert sorted(itertools.chain(*groups)) == list(range(model.binary))
    found = reference._lifts(model, model.touched, groups, z[0], b[0], model.terms(z, b)[0])
    assert found == pytest.approx(posteriors._lifts(model, z, b))
    assert len(groups) == {"switches": 3, "assignments": 1, "sparse": 3}[kind]


def test_enumeration_is_unbiased_for_the_gradient_of_the_bound():
    """p (1 - p) E[lift] is the derivative of E[log density] with respect to a logit, all 2^k cases summed."""
    model = KINDS["switches"](np.random.default_rng(0))
    z, logits = np.random.default_rng(1).standard_normal(model.continuous), np.array([0.3, -0.7, 1.1])
    cases = np.array(list(itertools.product((0.0, 1.0), repeat=3)))
    values = model.terms(np.repeat(z[None], 8, axis=0), cases).sum(axis=1)

    def weights(logits):
        return np.where(cases > 0, expit(logits), expit(-logits)).prod(axis=1)

    lifts = np.array([posteriors._lifts(model, z[None], case[None]) for case in cases])
    p = expit(logits)
    for k, move in enumerate(1e-5 * np.eye(3)):
        slope = (weights(logits + move) - weights(logits - move)) @ values / 2e-5
        assert p[k] * (1 - p[k]) * (weights(logits) @ lifts[:, k]) == pytest.approx(slope, rel=1e-5)


def test_instances_repeat_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(seed), "smoke") for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        z, ones = np.ones((1, a.secret.model.continuous)), np.ones((1, a.secret.model.binary))
        assert a.secret.best == b.secret.best
        assert np.array_equal(a.secret.model.terms(z, ones), b.secret.model.terms(z, ones))
        assert not np.allclose(a.secret.model.terms(z, ones), c.secret.model.terms(z, ones))


def test_rows_are_charged_and_gradients_three_times():
    instance = smoke()
    density = Density(instance)
    z, b = unknowns(instance.secret.model, rows=7)
    terms = Direct(density).terms(z, b)
    assert density.log.spent == 7
    same, slopes = Direct(density).gradient(z, b)
    assert density.log.spent == 28
    assert np.array_equal(terms, same)
    assert slopes.shape == z.shape
    with pytest.raises(OracleRefused, match="budget"):
        Direct(density).terms(np.zeros((500, z.shape[1])), np.zeros((500, b.shape[1])))


@pytest.mark.parametrize(
    "question",
    [
        (),
        (np.zeros((1, 6)),),
        (np.zeros((1, 6)), np.zeros((2, 3))),
        (np.zeros((1, 6)), np.full((1, 3), 0.5)),
        (np.full((1, 6), np.inf), np.zeros((1, 3))),
        (np.zeros(6), np.zeros(3)),
        ("x", None),
        (0.0, 0.0),
    ],
)
def test_bad_questions_are_refused_and_charged(question):
    density = Density(smoke())
    with pytest.raises(OracleRefused):
        Direct(density).terms(*question)
    assert density.log.spent >= 1


@pytest.mark.parametrize(
    "change",
    [{"mean": None}, {"mean": np.zeros(5)}, {"log_sd": np.full(6, 7.0)}, {"logits": np.full(3, np.nan)}, {"more": 0}],
)
def test_spoiled_results_are_invalid(change):
    good = {"mean": np.zeros(6), "log_sd": np.zeros(6), "logits": np.zeros(3)}
    assert judged(task, smoke(), good, None).valid
    assert not judged(task, smoke(), good | change, None).valid
    assert not judged(task, smoke(), None, None).valid


def test_composed_strategies_come_closer_and_the_known_program_lies_between():
    ours = instances(np.random.default_rng(5), "default")
    gone = {}
    for program in (baseline, reference, known_pathwise):
        verdicts = [run(program.fit, instance) for instance in ours]
        assert all(verdict.valid for verdict in verdicts)
        gone[program] = np.log([verdict.metrics["gap"] + task.objective.floor for verdict in verdicts])
    margins = gone[baseline] - gone[reference]
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert gone[reference].mean() < gone[known_pathwise].mean() < gone[baseline].mean()
