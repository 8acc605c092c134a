"""The polynomial of degree five by Horner's rule: ten operations."""

from helpers.forms import fitted

# EVOLVE-BLOCK-START


def form(x: float) -> float:
    y = 0.0019 * x + 0.0089
    y = y * x + 0.0558
    y = y * x + 0.2402
    y = y * x + 0.6931
    return y * x + 1.0


# EVOLVE-BLOCK-END


def approximate(xs, fs):
    return fitted(form, xs, fs)
