"""The first place where all hats seen are black, improved entry by entry for all players alike: greedy ascent."""

import numpy as np

STEPS = 400


def strategies(h, players, p):
    rng = np.random.default_rng(0)
    blocks = 2**h
    hats = (np.arange(blocks)[:, None] >> np.arange(h)) & 1
    own = np.prod(np.where(hats == 1, p, 1 - p), axis=1)
    weights = own
    for _ in range(players - 1):
        weights = np.multiply.outer(weights, own)
    table = _first_black(hats, h, players)
    best = _value(table, hats, weights, players, p)
    for _ in range(STEPS):
        trial = table.copy()
        trial.flat[rng.integers(table.size)] = rng.integers(-1, h)
        value = _value(trial, hats, weights, players, p)
        if value > best:
            best, table = value, trial
    return [table.ravel()] * players


def _first_black(hats, h, players):
    common = np.ones((1,) * (players - 1) + (h,), dtype=int)
    for axis in range(players - 1):
        common = common * hats.reshape((1,) * axis + (len(hats),) + (1,) * (players - 2 - axis) + (h,))
    return np.where(common.any(axis=-1), common.argmax(axis=-1), -1)


def _value(table, hats, weights, players, p):
    right, deferred = 1.0, True
    for player in range(players):
        right = right * np.moveaxis(np.where(table < 0, p, hats[:, table]), 0, player)
        deferred = deferred & np.expand_dims(table < 0, player)
    again = (weights * deferred).sum()
    return 0.0 if again >= 1 else (weights * right * ~deferred).sum() / (1 - again)
