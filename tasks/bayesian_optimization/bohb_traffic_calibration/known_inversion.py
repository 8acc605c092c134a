"""Share inversion (Berry 1994): each constant moves by the log of the wanted over the reached share, run after run."""

import numpy as np

STEP = 0.7
SMALL = 1e-4


def calibrate(oracle, target, low, high, workers, full):
    theta, best, least = np.zeros(len(target)), np.zeros(len(target)), np.inf
    while True:
        oracle.submit(theta, full, None)
        job, shares, _ = oracle.wait()
        if job is None:
            return best
        loss = np.abs(shares - target).sum()
        if loss < least:
            best, least = theta, loss
        theta = theta + STEP * np.log((target + SMALL) / (shares + SMALL))
        theta = np.clip(theta - theta.mean(), low, high)
