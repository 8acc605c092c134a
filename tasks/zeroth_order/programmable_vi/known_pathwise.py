"""Reparametrised continuous sites, and the leave-one-out score function on the terms that each binary site touches."""

import numpy as np
from scipy.special import expit

SAMPLES = 2
RATE = 0.1
MOMENTUM = 0.9
DECAY = 0.99
FIRST_LOG_SD = -0.5
GRADIENT_PRICE = 3


def fit(oracle, model, budget):
    rng = np.random.default_rng(0)
    d, local = model["continuous"], _matrix(model["touched"])
    steps = int(budget) // (GRADIENT_PRICE * SAMPLES)
    parameters = np.concatenate([np.zeros(d), np.full(d, FIRST_LOG_SD), np.zeros(model["binary"])])
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    for step in range(1, steps + 1):
        mean, log_sd, logits = parameters[:d], parameters[d : 2 * d], parameters[2 * d :]
        p, noise = expit(logits), rng.standard_normal((SAMPLES, d))
        z, b = mean + np.exp(log_sd) * noise, (rng.random((SAMPLES, len(p))) < p).astype(float)
        terms, slopes = oracle.gradient(z, b)
        signal = terms[:, : len(local)] @ local
        centred = (signal - signal.mean(axis=0)) * SAMPLES / (SAMPLES - 1)
        pathwise = slopes * np.exp(log_sd) * noise
        score = ((b - p) * centred).mean(axis=0) - p * (1 - p) * logits
        gradient = np.concatenate([slopes.mean(axis=0), pathwise.mean(axis=0) + 1, score])
        first = MOMENTUM * first + (1 - MOMENTUM) * gradient
        second = DECAY * second + (1 - DECAY) * gradient**2
        rate = RATE * (1 - step / (steps + 1)) * np.sqrt(1 - DECAY**step) / (1 - MOMENTUM**step)
        parameters = parameters + rate * first / (np.sqrt(second) + 1e-8)
    return {"mean": parameters[:d], "log_sd": parameters[d : 2 * d], "logits": parameters[2 * d :]}


def _matrix(touched):
    """1 where a site (column) touches a term (row)."""
    local = np.zeros((1 + max(max(terms) for terms in touched), len(touched)))
    for site, terms in enumerate(touched):
        local[terms, site] = 1
    return local
