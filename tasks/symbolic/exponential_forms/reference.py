"""A quotient of mirror images, as e^x e^-x = 1 asks for, for any base: (p + x) / (p - x), with p even in x.

p(x) = c_0 + c_1 / (x^2 + c_2 + c_3 / (x^2 + c_4)) is the continued fraction of x coth(x / 2), cut off: the kind of form
that evolution finds (Real et al. 2023, AutoNumerics-Zero), in ten operations.
"""

from helpers.forms import fitted


def form(x):
    square = x * x
    inner = -8790.0 / (square + 95.4)
    even = -27892.0 / (square + 781.0 + inner) + 43.4
    return (even + x) / (even - x)


def approximate(xs, fs):
    return fitted(form, xs, fs)
