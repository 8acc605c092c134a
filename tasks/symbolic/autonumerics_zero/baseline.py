"""Minimax polynomial in Horner form: least squares at Chebyshev nodes, reweighted by the error (Lawson 1961).

The fit is written for a quotient of polynomials (Sanathanan and Koerner 1963), whose denominator is the constant 1.
"""

import numpy as np

# EVOLVE-BLOCK-START
ROUNDS = 20
FLOOR = 0.02
MOST_BELOW = 0


def minimax_quotient(x, f, weights, above, below):
    """Least weighted maximum error found; numerator and monic denominator, coefficients lowest first."""
    domain = [x.min(), x.max()]
    scaled = (2 * x - domain[0] - domain[1]) / (domain[1] - domain[0])
    upper = np.polynomial.chebyshev.chebvander(scaled, above)
    lower = np.polynomial.chebyshev.chebvander(scaled, below)
    emphasis, divisor = np.ones_like(f), np.ones_like(f)
    best = (np.inf, np.zeros(above + 1), np.ones(1))
    for _ in range(ROUNDS):
        w = np.sqrt(emphasis) * weights / divisor
        system = np.hstack([upper, -f[:, None] * lower[:, 1:]])
        solved = np.linalg.lstsq(system * w[:, None], f * w, rcond=None)[0]
        top, bottom = solved[: above + 1], np.append(1.0, solved[above + 1 :])
        divisor = lower @ bottom
        if divisor.min() <= 0:
            break
        errors = np.abs(upper @ top / divisor - f) * weights
        if errors.max() < best[0]:
            best = (errors.max(), top, bottom)
        emphasis = emphasis * (errors / errors.max() + FLOOR)
        emphasis = emphasis / emphasis.mean()
    top, bottom = (np.polynomial.Chebyshev(c, domain).convert(kind=np.polynomial.Polynomial).coef for c in best[1:])
    return best[0], top / bottom[-1], bottom / bottom[-1]


def horner(program, coefficients):
    """Append a polynomial to a straight-line program: one product and one sum per degree. Returns its operand."""
    value = repr(float(coefficients[-1]))
    for c in coefficients[-2::-1]:
        if value != "1.0":
            program.append(("*", value, "x"))
        product = "x" if value == "1.0" else len(program) - 1
        program.append(("+", product, repr(float(c))))
        value = len(program) - 1
    return value


def approximate(target, lo, hi, max_ops, xs, fs, cpu_seconds):
    f = np.array([float(s) for s in fs])
    if f.min() * f.max() > 0:
        weights = 1 / np.abs(f)
    else:
        weights = np.full_like(f, 1 / np.abs(f).max())
    best, least = (np.zeros(2), np.ones(1)), np.inf
    for below in range(MOST_BELOW + 1):
        error, top, bottom = minimax_quotient(xs, f, weights, max_ops // 2 - below, below)
        if error < least:
            best, least = (top, bottom), error
    program = []
    value = horner(program, best[0])
    if len(best[1]) > 1:
        program.append(("/", value, horner(program, best[1])))
    return program


# EVOLVE-BLOCK-END
