"""Random search: every worker runs random constants in full, the best run is recommended."""

import numpy as np

# EVOLVE-BLOCK-START


def calibrate(oracle, target, low, high, workers, full):
    rng = np.random.default_rng(0)
    running = {}
    best = np.zeros(len(target))
    least = np.inf
    for _ in range(workers):
        theta = rng.uniform(low, high, len(target))
        running[oracle.submit(theta, full, None)] = theta
    while running:
        job, shares = oracle.wait()[:2]
        if job is None:
            break
        theta = running.pop(job)
        loss = np.sum(np.abs(shares - target))
        if loss < least:
            least = loss
            best = theta
        theta = rng.uniform(low, high, len(target))
        running[oracle.submit(theta, full, None)] = theta
    return best


# EVOLVE-BLOCK-END
