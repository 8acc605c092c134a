"""Random search, each configuration on one seed; the best single value is recommended."""

import numpy as np


def tune(oracle, space, default, budget, seeds):
    rng = np.random.default_rng(0)
    best, value = default, oracle.train(default, 0)
    for _ in range(budget - 1):
        config = {name: _drawn(rng, axis) for name, axis in space.items()}
        reached = oracle.train(config, 0)
        if reached > value:
            best, value = config, reached
    return best


def _drawn(rng, axis):
    low, high, u = axis["low"], axis["high"], rng.random()
    value = low * (high / low) ** u if axis["log"] else low + u * (high - low)
    return round(value) if axis["type"] == "int" else float(value)
