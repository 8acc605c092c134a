"""bohb_traffic_calibration: the simulation, the cluster's clock and rules, and the distances reached."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.bayesian_optimization import travellers
from speciate.tasks.bayesian_optimization.bohb_traffic_calibration import baseline, known_inversion, reference
from speciate.tasks.bayesian_optimization.bohb_traffic_calibration.task import Cluster, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, cluster):
        self.cluster = cluster

    def submit(self, *args, **kwargs):
        return self.cluster.serve("submit", args, kwargs)

    def wait(self, *args, **kwargs):
        return self.cluster.serve("wait", args, kwargs)


def run(calibrate, instance):
    cluster = Cluster(instance)
    verdict = judged(task, instance, calibrate(Direct(cluster), **instance.inputs), cluster.log)
    assert verdict.valid
    return verdict.metrics


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_without_congestion_shares_become_those_of_the_best_choices():
    drawn = travellers.city(np.random.default_rng(0), 300)
    free = travellers.City(drawn.utility, drawn.capacity, np.zeros(travellers.MODES), drawn.seed)
    constants = np.linspace(-1, 1, travellers.MODES)
    settled = free.shares(free.replanned(free.start(), constants, 60))
    best = np.bincount((free.utility + constants).argmax(axis=1), minlength=travellers.MODES) / 300
    assert settled == pytest.approx(best, abs=0.01)


def test_a_run_in_two_parts_is_the_run_in_one(smoke):
    city, constants = smoke.secret.city, np.linspace(-1, 1, travellers.MODES)
    whole = city.replanned(city.start(), constants, 12)
    parts = city.replanned(city.replanned(city.start(), constants, 5), constants, 7)
    assert np.array_equal(whole.choices, parts.choices)
    assert parts.iterations == 12


def test_few_iterations_tell_something_but_not_the_end(smoke):
    city, rng = smoke.secret.city, np.random.default_rng(1)
    early, late = [], []
    for theta in rng.uniform(-4, 4, (40, travellers.MODES)):
        for length, losses in ((3, early), (27, late)):
            shares = city.shares(city.replanned(city.start(), theta, length))
            losses.append(np.abs(shares - smoke.inputs["target"]).sum())
    assert 0.3 < np.corrcoef(early, late)[0, 1] < 0.98


def test_jobs_end_in_the_order_of_the_clock_and_the_limit_ends_all(smoke):
    oracle, theta = Direct(Cluster(smoke)), np.zeros(travellers.MODES)
    jobs = [oracle.submit(theta, length, None) for length in (20, 1, 9)]
    ended = [oracle.wait() for _ in jobs]
    assert [job for job, _, _ in ended] == [1, 2, 0]
    clocks = [clock for _, _, clock in ended]
    assert clocks == sorted(clocks)
    assert ended[0][1].sum() == pytest.approx(1)
    count = 0
    while True:
        oracle.submit(theta, 27, None)
        job, _, clock = oracle.wait()
        if job is None:
            break
        count += 1
    assert clock == smoke.secret.limit
    assert 3 <= count <= 8
    assert oracle.wait()[0] is None


def test_resuming_goes_on_from_the_end_of_a_job_with_the_same_constants_only(smoke):
    oracle, theta = Direct(Cluster(smoke)), np.linspace(-1, 1, travellers.MODES)
    first = oracle.submit(theta, 9, None)
    with pytest.raises(OracleRefused, match="finished"):
        oracle.submit(theta, 9, first)
    oracle.wait()
    with pytest.raises(OracleRefused, match="same constants"):
        oracle.submit(theta + 0.1, 9, first)
    oracle.submit(theta, 18, first)
    city = smoke.secret.city
    assert oracle.wait()[1] == pytest.approx(city.shares(city.replanned(city.start(), theta, 27)))


def test_there_are_four_workers(smoke):
    oracle = Direct(Cluster(smoke))
    for _ in range(4):
        oracle.submit(np.zeros(travellers.MODES), 27, None)
    with pytest.raises(OracleRefused, match="worker"):
        oracle.submit(np.zeros(travellers.MODES), 27, None)


@pytest.mark.parametrize(
    "question",
    [
        (),
        (np.zeros(8), 27),
        (np.zeros(7), 27, None),
        (np.full(8, 5.0), 27, None),
        (np.full(8, np.nan), 27, None),
        (np.zeros(8), 0, None),
        (np.zeros(8), 28, None),
        (np.zeros(8), 1.0, None),
        (np.zeros(8), 27, 3),
        (np.zeros(8), 27, -1),
        (np.zeros(8), 27, "0"),
    ],
)
def test_malformed_submissions_are_refused(smoke, question):
    with pytest.raises(OracleRefused):
        Direct(Cluster(smoke)).submit(*question)


@pytest.mark.parametrize("output", [None, 0.0, np.zeros(7), np.full(8, np.nan), np.full(8, 4.1), "x"])
def test_spoiled_constants_are_invalid(smoke, output):
    assert not judged(task, smoke, output, None).valid


def test_the_truth_is_close_and_a_constant_for_all_changes_nothing(smoke):
    rng = np.random.default_rng(0)
    travellers.city(rng, 200)
    truth = rng.uniform(-2.5, 2.5, travellers.MODES)
    assert judged(task, smoke, truth, None).metrics["distance"] < 0.1
    assert judged(task, smoke, truth + 1, None).metrics == judged(task, smoke, truth, None).metrics


def test_the_density_is_a_product_of_kernels_as_in_scipy_for_one_dimension():
    centres = np.random.default_rng(0).uniform(-4, 4, (12, 1))
    points = np.linspace(-4, 4, 9)[:, None]
    density = reference.Density(centres)
    theirs = gaussian_kde(centres.T, bw_method=float(density.widths[0] / centres.std(ddof=1)))
    found = np.exp(density.log(points)) / np.sqrt(2 * np.pi)
    assert found == pytest.approx(theirs(points.T), rel=1e-6)


def test_bohb_comes_nearer_than_random_runs_and_share_inversion_nearest():
    ours = instances(np.random.default_rng(1), "default")
    gone = {
        program: np.log([run(program.calibrate, one)["distance"] + task.objective.floor for one in ours])
        for program in (baseline, reference, known_inversion)
    }
    assert (gone[baseline] - gone[reference]).mean() > 0.1
    assert (gone[reference] - gone[known_inversion]).mean() > 1
