"""LLAMBO (Liu et al. 2024, sections 3 to 5), with textbook knowledge in the place of the language model.

Warm start: five configurations that a textbook would try, from the card. Surrogate: mean and spread of predictors, each
shown the history in another selection, as in-context examples are shuffled. Candidates: drawn around configurations
weighted by how near their score is to a wanted one, s_best + ALPHA (s_best - s_worst). The candidate with the largest
expected improvement is tried.
"""

import numpy as np
from scipy.special import ndtr

ALPHA = 0.1
PREDICTORS = 10
CANDIDATES = 20
MUTATION = 0.1
WIDTH = 0.15
LEAST_SPREAD = 0.005


def tune(oracle, space, card, budget):
    rng = np.random.default_rng(0)
    x = np.array([encode(config, space) for config in textbook(card)])[:budget]
    y = np.array([oracle.evaluate(decode(unit, space)) for unit in x])
    while len(y) < budget:
        points = candidates(rng, x, y)
        mean, spread = surrogate(rng, x, y, points)
        u = (mean - y.max()) / spread
        chosen = points[np.argmax(spread * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)))]
        x = np.vstack([x, chosen])
        y = np.append(y, oracle.evaluate(decode(chosen, space)))


def textbook(card):
    """Defaults of each kind of classifier, and usual variations."""
    gamma, k = 1 / (card["features"] * card["variance"]), np.sqrt(card["samples"]) / 2
    rate = 0.1 / max(card["variance"], 1)
    return {
        "kernel": [{"C": c, "gamma": gamma * f} for c, f in ((1, 1), (10, 0.3), (1, 3), (10, 1), (100, 0.1))],
        "neighbours": [
            {"k": k * f, "p": p, "power": w} for f, p, w in ((1, 2, 1), (2, 2, 1), (1, 2, 0), (3, 2, 2), (0.6, 1.5, 1))
        ],
        "boosting": [
            {"rounds": n, "rate": r, "subsample": s, "l2": l2}
            for n, r, s, l2 in (
                (100, 0.1, 1, 1),
                (100, 0.3, 0.8, 1),
                (200, 0.1, 0.5, 1),
                (50, 0.3, 1, 10),
                (200, 0.05, 0.8, 0.1),
            )
        ],
        "network": [
            {"rate": rate * f, "l2": l2, "width": w, "momentum": m}
            for f, l2, w, m in (
                (1, 1e-4, 64, 0.9),
                (0.3, 1e-4, 32, 0.9),
                (1, 1e-3, 100, 0.5),
                (3, 1e-4, 64, 0),
                (0.1, 1e-4, 64, 0.9),
            )
        ],
    }[card["model"]]


def candidates(rng, x, y):
    wanted = y.max() + ALPHA * (y.max() - y.min())
    nearness = -0.5 * ((y - wanted) / (WIDTH * (np.ptp(y) + 1e-3))) ** 2
    weights = np.exp(nearness - nearness.max())
    centres = x[rng.choice(len(x), CANDIDATES, p=weights / weights.sum())]
    return np.clip(centres + MUTATION * rng.standard_normal(centres.shape), 0, 1)


def surrogate(rng, x, y, points):
    """Mean and spread of kernel regressions, each on a bootstrap sample of the history with a width of its own."""
    predictions = []
    for _ in range(PREDICTORS):
        rows = rng.integers(len(y), size=len(y))
        squares = ((points[:, None] - x[rows][None]) ** 2).sum(axis=2)
        weights = np.exp(-0.5 * squares / (WIDTH * 2 ** rng.uniform(-1, 1)) ** 2) + 1e-12
        predictions.append((weights * y[rows]).sum(axis=1) / weights.sum(axis=1))
    return np.mean(predictions, axis=0), np.std(predictions, axis=0) + LEAST_SPREAD


def encode(config, space):
    unit = []
    for name, axis in space.items():
        low, high, value = axis["low"], axis["high"], min(max(config[name], axis["low"]), axis["high"])
        unit.append(np.log(value / low) / np.log(high / low) if axis["log"] else (value - low) / (high - low))
    return np.array(unit)


def decode(unit, space):
    config = {}
    for u, (name, axis) in zip(unit, space.items(), strict=True):
        low, high = axis["low"], axis["high"]
        value = min(max(low * (high / low) ** u if axis["log"] else low + u * (high - low), low), high)
        config[name] = round(value) if axis["type"] == "int" else float(value)
    return config
