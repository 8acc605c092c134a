"""Attention as a support vector machine (Tarzanagh, Li, Thrampoulidis and Oymak 2023, section 2 and Theorem 4).

Gradient descent on the attention weights converges in direction to the hard-margin machine that separates, in each
text, the token o_i that it selects from the others: argmin |W|_F with (x_io - x_it)' W z_i >= 1 for all t. The tokens
are those with most attention after the steps that are allowed; the machine is solved in its dual by coordinate ascent.
"""

import numpy as np

STEP = 0.1
SWEEPS = 300
TOLERANCE = 1e-4


def predict(oracle, X, z, calls):
    n, tokens, d = X.shape
    W = np.zeros((d, d))
    for _ in range(calls):
        W = W - STEP * oracle.direction(W)
    scores = np.einsum("ntd,de,ne->nt", X, W, z)
    selected = scores.argmax(axis=1)
    others = np.ones((n, tokens), dtype=bool)
    others[np.arange(n), selected] = False
    differences = (X[np.arange(n), selected][:, None] - X)[others]
    text = np.repeat(np.arange(n), tokens - 1)
    weights = machine((differences @ differences.T) * (z @ z.T)[np.ix_(text, text)])
    return (weights[:, None] * differences).T @ z[text]


def machine(gram):
    """Dual weights >= 0 that maximise sum w - w' gram w / 2."""
    weights, margins = np.zeros(len(gram)), np.zeros(len(gram))
    for _ in range(SWEEPS):
        largest = 0.0
        for k in range(len(gram)):
            change = max(-weights[k], (1 - margins[k]) / gram[k, k])
            if change != 0.0:
                weights[k] += change
                margins += change * gram[k]
                largest = max(largest, abs(change) * gram[k, k])
        if largest < TOLERANCE:
            break
    return weights
