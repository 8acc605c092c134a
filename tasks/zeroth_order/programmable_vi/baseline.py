"""Black-box variational inference (Ranganath et al. 2014): score function, leave-one-out baseline, Adam."""

import numpy as np
from scipy.special import expit

# EVOLVE-BLOCK-START
SAMPLES = 4
RATE = 0.1
MOMENTUM = 0.9
DECAY = 0.99
FIRST_LOG_SD = -0.5


def fit(oracle, model, budget):
    rng = np.random.default_rng(0)
    mean = np.zeros(model["continuous"])
    log_sd = np.full(model["continuous"], FIRST_LOG_SD)
    logits = np.zeros(model["binary"])
    parameters = np.concatenate([mean, log_sd, logits])
    first = np.zeros_like(parameters)
    second = np.zeros_like(parameters)
    d = model["continuous"]
    steps = int(budget) // SAMPLES
    for step in range(steps):
        mean = parameters[:d]
        log_sd = parameters[d : 2 * d]
        logits = parameters[2 * d :]
        p = expit(logits)
        noise = rng.standard_normal((SAMPLES, d))
        z = mean + np.exp(log_sd) * noise
        b = (rng.random((SAMPLES, len(p))) < p).astype(float)
        density = np.sum(oracle.terms(z, b), axis=1)
        log_q = np.sum(-0.5 * noise**2 - log_sd, axis=1) + np.sum(
            b * np.log(p + 1e-12) + (1.0 - b) * np.log(1.0 - p + 1e-12), axis=1
        )
        signal = density - log_q
        centred = signal - (np.sum(signal) - signal) / (SAMPLES - 1)
        score = np.concatenate([noise / np.exp(log_sd), noise**2 - 1.0, b - p], axis=1)
        gradient = np.mean(score * centred[:, None], axis=0)
        first = MOMENTUM * first + (1.0 - MOMENTUM) * gradient
        second = DECAY * second + (1.0 - DECAY) * gradient**2
        rate = RATE * (1.0 - step / steps)
        scale = np.sqrt(1.0 - DECAY ** (step + 1)) / (1.0 - MOMENTUM ** (step + 1))
        parameters = parameters + rate * scale * first / (np.sqrt(second) + 1e-8)
    return {"mean": parameters[:d], "log_sd": parameters[d : 2 * d], "logits": parameters[2 * d :]}


# EVOLVE-BLOCK-END
