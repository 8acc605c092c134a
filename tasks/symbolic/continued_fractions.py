"""Constants with a regular continued fraction, under hidden Moebius maps, and the exact evaluation of a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

EXACT_DIGITS = 400
LEAST_TERMS, MOST_TERMS = 50, 1500
LONGEST_TERM = 10**60


@dataclass(frozen=True)
class Formula:
    """(a c + b) / (a' c + b') = A_0 + s_1 / (A_1 + s_2 / (A_2 + ...)).

    ``map`` holds a, b, a', b'; ``signs`` s_1, s_2, ... periodically; A_n the ``initial`` terms, then
    A_n = sum_i recurrence_i A_(n-i).
    """

    map: tuple[int, int, int, int]
    signs: tuple[int, ...]
    initial: tuple[int, ...]
    recurrence: tuple[Fraction, ...]

    def value(self) -> Fraction | None:
        """c to more than ``EXACT_DIGITS`` digits; None where terms are no integers, too long or do not converge."""
        h, h_before, k, k_before = self.initial[0], 1, 1, 0
        terms = list(self.initial)
        for n in range(1, MOST_TERMS):
            if n >= len(terms):
                following = sum(r * terms[-i] for i, r in enumerate(self.recurrence, 1))
                if Fraction(following).denominator != 1 or abs(following) > LONGEST_TERM:
                    return None
                terms.append(int(following))
            sign = self.signs[(n - 1) % len(self.signs)]
            h, h_before = terms[n] * h + sign * h_before, h
            k, k_before = terms[n] * k + sign * k_before, k
            # h k_before - h_before k is 1 or -1, so that successive convergents differ by 1 / (k k_before).
            if n >= LEAST_TERMS and abs(k * k_before) > 10 ** (EXACT_DIGITS + 20):
                return self._unmapped(h, k)
        return None

    def _unmapped(self, h: int, k: int) -> Fraction | None:
        a, b, c, d = self.map
        below = a * k - c * h
        return Fraction(d * h - b * k, below) if below else None


def agrees(formula: Formula, exact: int) -> bool:
    """Whether the formula gives the constant ``exact`` / 10^EXACT_DIGITS, cut off there, to all digits but the last."""
    value = formula.value()
    return value is not None and abs(value * 10**EXACT_DIGITS - exact) <= 10


def known_constant(rng: np.random.Generator, kind: str) -> Callable[[], Any]:
    """A constant of a kind, as a function that computes it at mpmath's precision."""
    r = int(rng.integers(1, 5))
    if kind == "exponentials":
        return [
            lambda: mpmath.exp(mpmath.mpf(1) / r),
            lambda: mpmath.exp(mpmath.mpf(2) / (2 * r - 1)),
            lambda: mpmath.tanh(mpmath.mpf(1) / r),
        ][int(rng.integers(3))]
    if kind == "tangents":
        return [
            lambda: mpmath.tan(mpmath.mpf(1) / r),
            lambda: mpmath.besseli(r, 2) / mpmath.besseli(r - 1, 2),
        ][int(rng.integers(2))]
    formula = defined(rng)

    def value() -> Any:
        found = formula.value()
        assert found is not None
        return mpmath.mpf(found.numerator) / found.denominator

    return value


def defined(rng: np.random.Generator) -> Formula:
    """A fraction with random signs of period 2 to 4 and one to three interlaced arithmetic sequences as terms."""
    signs = tuple(rng.choice([1, -1], int(rng.integers(2, 5))).tolist())
    parts = int(rng.integers(1, 4))
    start, step = rng.integers(2, 8, parts).tolist(), rng.integers(1, 4, parts).tolist()
    initial = tuple(start + [one + more for one, more in zip(start, step, strict=True)])
    recurrence = [Fraction(0)] * (2 * parts)
    recurrence[parts - 1], recurrence[2 * parts - 1] = Fraction(2), Fraction(-1)
    return Formula((1, 0, 0, 1), signs, initial, tuple(recurrence))


CONTROLS: Sequence[Callable[[], Any]] = (
    lambda: +mpmath.pi,
    lambda: mpmath.zeta(3),
    lambda: mpmath.log(2),
    lambda: +mpmath.catalan,
)


def mapped_digits(rng: np.random.Generator, constant: Callable[[], Any]) -> int:
    """The constant under a random Moebius map, positive, in units of 10^-EXACT_DIGITS and cut off.

    Entries of the map are -3 to 3, its determinant 1 to 4 in size.
    """
    with mpmath.workdps(EXACT_DIGITS + 30):
        c = constant()
        while True:
            a, b, d, e = rng.integers(-3, 4, 4).tolist()
            if 1 <= abs(a * e - b * d) <= 4 and abs(d * c + e) > 0.01:
                x = (a * c + b) / (d * c + e)
                if 0.01 < x < 1000:
                    return int(mpmath.floor(x * mpmath.mpf(10) ** EXACT_DIGITS))
