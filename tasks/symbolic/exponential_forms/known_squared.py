"""A polynomial of degree three, squared and squared again: e^x = (e^(x/4))^4."""

from helpers.forms import fitted


def form(x):
    y = 0.0005 * x + 0.015
    y = y * x + 0.1733
    y = y * x + 1.0
    y = y * y
    y = y * y
    return y * y


def approximate(xs, fs):
    return fitted(form, xs, fs)
