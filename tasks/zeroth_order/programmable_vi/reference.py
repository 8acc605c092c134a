"""A gradient strategy of its own for every site (Becker et al. 2024, sections 3 and 4; ADEV, Lew et al. 2023).

Continuous sites are reparametrised: the pathwise derivative needs the gradient of the log density. Binary sites are
enumerated: d/dl E[f(b)] = p (1 - p) E[f(b_k = 1) - f(b_k = 0)] with the other sites as sampled, where f keeps only the
terms that b_k touches. Sites that share no term are flipped in the same row. Composed, the estimates are unbiased for
the gradient of the ELBO; the entropy is exact.
"""

import numpy as np
from scipy.special import expit

RATE = 0.1
MOMENTUM = 0.9
DECAY = 0.99
FIRST_LOG_SD = -0.5
GRADIENT_PRICE = 3


def fit(oracle, model, budget):
    rng = np.random.default_rng(0)
    d, groups = model["continuous"], _groups(model["touched"])
    steps = int(budget) // (GRADIENT_PRICE + len(groups))
    parameters = np.concatenate([np.zeros(d), np.full(d, FIRST_LOG_SD), np.zeros(model["binary"])])
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    for step in range(1, steps + 1):
        mean, log_sd, logits = parameters[:d], parameters[d : 2 * d], parameters[2 * d :]
        p, noise = expit(logits), rng.standard_normal(d)
        z, b = mean + np.exp(log_sd) * noise, (rng.random(len(p)) < p).astype(float)
        terms, slopes = oracle.gradient(z[None], b[None])
        lifts = _lifts(oracle, model["touched"], groups, z, b, terms[0])
        slope = slopes[0]
        gradient = np.concatenate([slope, slope * np.exp(log_sd) * noise + 1, p * (1 - p) * (lifts - logits)])
        first = MOMENTUM * first + (1 - MOMENTUM) * gradient
        second = DECAY * second + (1 - DECAY) * gradient**2
        rate = RATE * (1 - step / (steps + 1)) * np.sqrt(1 - DECAY**step) / (1 - MOMENTUM**step)
        parameters = parameters + rate * first / (np.sqrt(second) + 1e-8)
    return {"mean": parameters[:d], "log_sd": parameters[d : 2 * d], "logits": parameters[2 * d :]}


def _groups(touched):
    """Sites in groups that share no term."""
    groups, used = [], []
    for site, terms in enumerate(touched):
        free = [number for number, taken in enumerate(used) if not taken & set(terms)]
        if free:
            groups[free[0]].append(site)
            used[free[0]] |= set(terms)
        else:
            groups.append([site])
            used.append(set(terms))
    return groups


def _lifts(oracle, touched, groups, z, b, terms):
    """Terms of every site at 1 minus at 0, the sampled side known already."""
    flipped = np.repeat(b[None], len(groups), axis=0)
    for row, sites in enumerate(groups):
        flipped[row, sites] = 1 - flipped[row, sites]
    others = oracle.terms(np.repeat(z[None], len(groups), axis=0), flipped)
    lifts = np.empty(len(b))
    for row, sites in enumerate(groups):
        for site in sites:
            change = others[row, touched[site]].sum() - terms[touched[site]].sum()
            lifts[site] = change * (1 - 2 * b[site])
    return lifts
