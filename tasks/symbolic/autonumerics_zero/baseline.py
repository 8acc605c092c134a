"""Minimax polynomial in Horner form: least squares at Chebyshev nodes, reweighted by the error (Lawson 1961)."""

import numpy as np

# EVOLVE-BLOCK-START
ROUNDS = 25
FLOOR = 0.02


def minimax_polynomial(x, f, weights, degree):
    """Coefficients, lowest first, of the polynomial with the least weighted maximum error."""
    low, high = x.min(), x.max()
    scaled = (2 * x - low - high) / (high - low)
    basis = np.polynomial.chebyshev.chebvander(scaled, degree)
    emphasis = np.ones_like(x)
    best, best_error = np.zeros(degree + 1), np.inf
    for _ in range(ROUNDS):
        w = np.sqrt(emphasis) * weights
        coefficients = np.linalg.lstsq(basis * w[:, None], f * w, rcond=None)[0]
        errors = np.abs(basis @ coefficients - f) * weights
        if errors.max() < best_error:
            best, best_error = coefficients, errors.max()
        emphasis = emphasis * (errors / errors.max() + FLOOR)
        emphasis = emphasis / emphasis.mean()
    series = np.polynomial.Chebyshev(best, domain=[low, high])
    return series.convert(kind=np.polynomial.Polynomial).coef


def horner(coefficients):
    """Straight-line program for a polynomial: one product and one sum per degree."""
    program = []
    value = repr(float(coefficients[-1]))
    for c in coefficients[-2::-1]:
        program.append(("*", value, "x"))
        program.append(("+", len(program) - 1, repr(float(c))))
        value = len(program) - 1
    return program


def approximate(target, lo, hi, max_ops, xs, fs, cpu_seconds):
    f = np.array([float(s) for s in fs])
    if f.min() * f.max() > 0:
        weights = 1 / np.abs(f)
    else:
        weights = np.full_like(f, 1 / np.abs(f).max())
    degree = max_ops // 2
    return horner(minimax_polynomial(xs, f, weights, degree))


# EVOLVE-BLOCK-END
