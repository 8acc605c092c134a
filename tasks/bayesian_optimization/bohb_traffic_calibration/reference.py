"""BOHB (Falkner et al. 2018) without barriers and with early stopping (Kumar et al. 2023, sections 3 and 4).

Rungs of a ninth, a third and all of a full run; a finished job is promoted where it is among the best third of its
rung. Proposals maximise the ratio of the densities of good and bad results at the highest rung that has enough of them.
A job whose loss, extrapolated from its last two rungs, stays 1.5 times above the best full run is stopped.
"""

import numpy as np

ETA = 3
ENOUGH = 14
RANDOM_SHARE = 0.2
GOOD_SHARE = 0.15
LEAST_GOOD = 9
DRAWS = 24
WIDENED = 3.0
LEAST_WIDTH = 0.08
HOPELESS = 1.5


def calibrate(oracle, target, low, high, workers, full):
    search = Search(np.random.default_rng(0), len(target), low, high, (full // ETA**2, full // ETA, full))
    running = {}
    for _ in range(workers):
        start(oracle, search, running)
    while True:
        job, shares, _ = oracle.wait()
        if job is None:
            return search.recommended()
        trial = running.pop(job)
        trial.losses.append(float(np.abs(shares - target).sum()))
        search.record(trial, job)
        start(oracle, search, running)


def start(oracle, search, running):
    trial, resumed = search.next()
    done = search.rungs[trial.rung - 1] if trial.rung else 0
    job = oracle.submit(trial.theta, search.rungs[trial.rung] - done, resumed)
    running[job] = trial


class Trial:
    def __init__(self, theta):
        self.theta, self.rung, self.losses = theta, 0, []


class Search:
    def __init__(self, rng, dim, low, high, rungs):
        self.rng, self.dim, self.low, self.high, self.rungs = rng, dim, low, high, rungs
        self.results = [[] for _ in rungs]
        self.promoted = [set() for _ in rungs]

    def record(self, trial, job):
        self.results[trial.rung].append((trial.losses[-1], job, trial))

    def next(self):
        """The trial to run on, and the job it goes on from; None for a new one."""
        for rung in reversed(range(len(self.rungs) - 1)):
            ranked = sorted(self.results[rung], key=lambda result: result[0])
            for _, job, trial in ranked[: len(ranked) // ETA]:
                if job not in self.promoted[rung] and not self.hopeless(trial):
                    self.promoted[rung].add(job)
                    raised = Trial(trial.theta)
                    raised.rung, raised.losses = rung + 1, list(trial.losses)
                    return raised, job
        return Trial(self.proposal()), None

    def hopeless(self, trial):
        complete = self.results[-1]
        if len(trial.losses) < 2 or not complete:
            return False
        before, now = trial.losses[-2:]
        return now - max(before - now, 0.0) > HOPELESS * min(loss for loss, _, _ in complete)

    def proposal(self):
        rung = next((results for results in reversed(self.results) if len(results) >= ENOUGH), None)
        if rung is None or self.rng.random() < RANDOM_SHARE:
            return self.rng.uniform(self.low, self.high, self.dim)
        ranked = np.array([trial.theta for _, _, trial in sorted(rung, key=lambda result: result[0])])
        count = min(max(LEAST_GOOD, int(GOOD_SHARE * len(ranked))), len(ranked) - 1)
        good, bad = (Density(part) for part in (ranked[:count], ranked[count:]))
        centres = good.centres[self.rng.integers(count, size=DRAWS)]
        points = centres + WIDENED * good.widths * self.rng.standard_normal((DRAWS, self.dim))
        points = np.clip(points, self.low, self.high)
        return points[np.argmax(good.log(points) - bad.log(points))]

    def recommended(self):
        for results in reversed(self.results):
            if results:
                return min(results, key=lambda result: result[0])[2].theta
        return np.zeros(self.dim)


class Density:
    """Product of normal kernels, widths by Scott's rule."""

    def __init__(self, centres):
        self.centres = centres
        scott = len(centres) ** (-1 / (centres.shape[1] + 4))
        self.widths = np.maximum(centres.std(axis=0) * scott, LEAST_WIDTH)

    def log(self, points):
        squares = (((points[:, None] - self.centres) / self.widths) ** 2).sum(axis=2)
        return np.log(np.exp(-0.5 * squares).mean(axis=1) + 1e-300) - np.log(self.widths).sum()
