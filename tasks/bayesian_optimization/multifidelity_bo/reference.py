"""Recursive co-kriging with a cost-aware expected improvement.

The surrogate is the autoregressive one of Kennedy and O'Hagan (2000), in the recursive form of Le Gratiet and Garnier
(2014): a Gaussian process of the cheap level, f_high = rho f_low + c + delta with rho and c by least squares at the
points known at both levels, and a second process for delta. The next point maximises the expected improvement of
f_high; the level is the one that removes more of its variance per unit of cost. Where the levels do not correlate, the
costly one is used alone, as in the baseline.
"""

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import ndtr

RANDOM = 300
LOCAL = 40
NEAR = 0.06
JITTER = 1e-6
REFIT = 6
MOST_CHEAP = 80
SMALL_SHARE = 0.02
LEAST_CORRELATION = 0.4


class Process:
    """A Gaussian process with Matern-5/2 kernel; a length per coordinate, or one for all."""

    def __init__(self, dim, separate):
        self.lengths, self.separate = np.full(dim, 0.5 * np.sqrt(dim)), separate

    def learn(self, x, y, refit):
        self.x, self.y = x, y
        if refit:
            self._search()
        self.factor, self.variance = self._factor(self.lengths)
        self.weights = cho_solve((self.factor, True), y - y.mean())

    def predict(self, points):
        """Mean and variance."""
        shape = _kernel(self.x, points, self.lengths)
        root = solve_triangular(self.factor, shape, lower=True)
        return self.y.mean() + shape.T @ self.weights, self.variance * np.maximum(1 - (root**2).sum(0), 1e-12)

    def _factor(self, lengths):
        factor = np.linalg.cholesky(_kernel(self.x, self.x, lengths) + JITTER * np.eye(len(self.y)))
        return factor, np.mean(solve_triangular(factor, self.y - self.y.mean(), lower=True) ** 2) + 1e-12

    def _density(self, lengths):
        factor, variance = self._factor(lengths)
        prior = 0.1 * np.sum(np.log(lengths / (0.5 * np.sqrt(len(lengths)))) ** 2)
        return -0.5 * len(self.y) * np.log(variance) - np.log(np.diag(factor)).sum() - prior

    def _search(self):
        """Halve or double the lengths one by one, or all at once, where that raises the posterior density."""
        dim = len(self.lengths)
        best = self._density(self.lengths)
        for axis in np.eye(dim) if self.separate else np.ones((1, dim)):
            for power in (-1.0, 1.0):
                trial = self.lengths * 2 ** (power * axis)
                density = self._density(trial)
                if density > best:
                    best, self.lengths = density, trial


def optimize(oracle, dim, costs, budget):
    rng = np.random.default_rng(0)
    data = Data(oracle, costs, budget)
    for number, point in enumerate(rng.random((6 * dim + 6, dim))):
        data.query(point, 0)
        if number < max(3, dim // 2 + 2):
            data.query(point, 1)
    low, high, gap = Process(dim, True), Process(dim, True), Process(dim, False)
    step = 0
    while data.left >= costs[1]:
        refit = step % REFIT == 0
        cheap, costly = data.known(0), data.known(1)
        low.learn(*cheap, refit)
        points = _candidates(rng, dim, cheap, costly)
        at_costly = low.predict(costly[0])[0]
        if np.corrcoef(at_costly, costly[1])[0, 1] < LEAST_CORRELATION:
            high.learn(*costly, refit)
            mean, variance = high.predict(points)
            choice, level = np.argmax(_improvement(mean, variance, costly[1].min())), 1
        else:
            rho, offset = np.polyfit(at_costly, costly[1], 1)
            gap.learn(costly[0], costly[1] - rho * at_costly - offset, refit)
            (low_mean, low_variance), (gap_mean, gap_variance) = low.predict(points), gap.predict(points)
            shared = rho**2 * low_variance
            mean, variance = rho * low_mean + offset + gap_mean, shared + gap_variance
            choice = np.argmax(_improvement(mean, variance, costly[1].min()))
            per_cost = shared[choice] / costs[0] > variance[choice] / costs[1]
            telling = shared[choice] > SMALL_SHARE * variance[choice] and len(cheap[1]) < MOST_CHEAP
            level = 0 if per_cost and telling and data.left >= costs[0] + costs[1] else 1
        data.query(points[choice], level)
        if level == 1 and data.left >= costs[0]:
            data.query(points[choice], 0)
        step += 1
    x, y = data.known(1)
    return x[np.argmin(y)]


class Data:
    """What was asked at each level, and what is left of the budget."""

    def __init__(self, oracle, costs, budget):
        self.oracle, self.costs, self.left, self.asked = oracle, costs, budget, ([], [])

    def query(self, point, level):
        self.left -= self.costs[level]
        self.asked[level].append((point, self.oracle.query(point, level)))

    def known(self, level):
        """Points (n, dim) and values (n,)."""
        return np.array([x for x, _ in self.asked[level]]), np.array([y for _, y in self.asked[level]])


def _candidates(rng, dim, cheap, costly):
    best = np.vstack([costly[0][np.argsort(costly[1])[:3]], cheap[0][np.argsort(cheap[1])[:2]]])
    near = best.repeat(LOCAL, axis=0)
    return np.vstack([rng.random((RANDOM, dim)), np.clip(near + NEAR * rng.standard_normal(near.shape), 0, 1)])


def _improvement(mean, variance, incumbent):
    deviation = np.sqrt(variance)
    u = (incumbent - mean) / deviation
    return deviation * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi))


def _kernel(a, b, lengths):
    a, b = a / lengths, b / lengths
    r = np.sqrt(5 * np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0))
    return (1 + r + r**2 / 3) * np.exp(-r)
