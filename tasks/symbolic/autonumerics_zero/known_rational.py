"""Minimax rational function p/q in Horner form with a monic denominator, every split of the degrees tried.

Linearised weighted least squares, reweighted by the last denominator (Sanathanan and Koerner 1963) and by the error
(Lawson 1961). Costs 2 (deg p + deg q) operations.
"""

import numpy as np

ROUNDS = 20
FLOOR = 0.02


def approximate(target, lo, hi, max_ops, xs, fs, cpu_seconds):
    f = np.array([float(s) for s in fs])
    weights = 1 / np.abs(f) if f.min() * f.max() > 0 else np.full_like(f, 1 / np.abs(f).max())
    fits = [minimax(xs, f, weights, max_ops // 2 - below, below) for below in range(max_ops // 4 + 1)]
    _, top, bottom = min(fits, key=lambda fit: fit[0])
    return written(top, bottom)


def minimax(x, f, weights, above, below):
    """Least maximum error, numerator and monic denominator (lowest coefficient first)."""
    scaled = (2 * x - x[0] - x[-1]) / (x[-1] - x[0])
    upper = np.polynomial.chebyshev.chebvander(scaled, above)
    lower = np.polynomial.chebyshev.chebvander(scaled, below)
    emphasis, denominator = np.ones_like(f), np.ones_like(f)
    best = (np.inf, np.zeros(1), np.ones(1))
    for _ in range(ROUNDS):
        w = np.sqrt(emphasis) * weights / np.abs(denominator)
        system = np.concatenate([upper, -f[:, None] * lower[:, 1:]], axis=1)
        solved = np.linalg.lstsq(system * w[:, None], f * w, rcond=None)[0]
        p, q = solved[: above + 1], np.append(1.0, solved[above + 1 :])
        denominator = lower @ q
        if denominator.min() <= 0:
            break
        errors = np.abs(upper @ p / denominator - f) * weights
        if errors.max() < best[0]:
            top, bottom = (np.polynomial.Chebyshev(c, domain=[x[0], x[-1]]) for c in (p, q))
            top, bottom = (c.convert(kind=np.polynomial.Polynomial).coef for c in (top, bottom))
            best = (errors.max(), top / bottom[-1], bottom / bottom[-1])
        emphasis = emphasis * (errors / errors.max() + FLOOR)
        emphasis = emphasis / emphasis.mean()
    return best


def written(top, bottom):
    program = []

    def emit(op, a, b):
        program.append((op, a, b))
        return len(program) - 1

    def horner(coefficients, monic):
        value = None if monic else repr(float(coefficients[-1]))
        for c in coefficients[-2::-1]:
            product = "x" if value is None else emit("*", value, "x")
            value = emit("+", product, repr(float(c)))
        return value

    value = horner(top, monic=False)
    if len(bottom) > 1:
        emit("/", value, horner(bottom, monic=True))
    return program
