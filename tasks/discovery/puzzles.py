"""Puzzles in the form of a short program: find an x for which it is true. All are written anew."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Answer = int | str | list[int]
Check = Callable[[Any], bool]

LARGEST, LONGEST = 10**9, 200
WORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Puzzle:
    """``source`` is what a program sees, ``holds`` the same as a function, ``witness`` an answer; ``kind`` its type."""

    kind: str
    source: str
    holds: Check
    witness: Answer


def well_typed(kind: str, x: Any) -> bool:
    """Whether x is an int, str or list of ints of allowed size."""
    if kind == "list":
        return type(x) is list and len(x) <= LONGEST and all(well_typed("int", item) for item in x)
    if kind == "str":
        return type(x) is str and len(x) <= LONGEST
    return type(x) is int and abs(x) <= LARGEST


def _number(rng: np.random.Generator, low: int = 20, high: int = 1000) -> int:
    return int(rng.integers(low, high))


def _word(rng: np.random.Generator) -> str:
    return "".join(WORD_LETTERS[int(k)] for k in rng.choice(26, int(rng.integers(3, 7)), replace=False))


def _numbers(rng: np.random.Generator) -> list[int]:
    return sorted(int(k) for k in rng.choice(np.arange(3, 90), int(rng.integers(4, 8)), replace=False))


def added(rng: np.random.Generator) -> Puzzle:
    a, x = _number(rng), _number(rng)
    return Puzzle("int", f"x + {a} == {a + x}", lambda y: y + a == a + x, x)


def taken(rng: np.random.Generator) -> Puzzle:
    a, b = _number(rng), _number(rng)
    return Puzzle("int", f"x - {a} == {b}", lambda y: y - a == b, a + b)


def multiplied(rng: np.random.Generator) -> Puzzle:
    a, x = _number(rng), _number(rng)
    return Puzzle("int", f"x * {a} == {a * x}", lambda y: y * a == a * x, x)


def divided(rng: np.random.Generator) -> Puzzle:
    a, b = _number(rng), _number(rng)
    return Puzzle("int", f"x // {a} == {b}", lambda y: y // a == b, a * b)


def remainder(rng: np.random.Generator) -> Puzzle:
    a = _number(rng, 100)
    b = int(rng.integers(1, a))
    return Puzzle("int", f"x % {a} == {b} and x > {a}", lambda y: y % a == b and y > a, a + b)


def between(rng: np.random.Generator) -> Puzzle:
    a = _number(rng)
    return Puzzle("int", f"{a} < x < {a + 2}", lambda y: a < y < a + 2, a + 1)


def root(rng: np.random.Generator) -> Puzzle:
    x = _number(rng, 12, 200)
    return Puzzle("int", f"x > 0 and x * x == {x * x}", lambda y: y > 0 and y * y == x * x, x)


def factor(rng: np.random.Generator) -> Puzzle:
    primes = [31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]
    a, b = (primes[int(k)] for k in rng.choice(len(primes), 2, replace=False))
    return Puzzle("int", f"1 < x < {a * b} and {a * b} % x == 0", lambda y: 1 < y < a * b and a * b % y == 0, a)


def power(rng: np.random.Generator) -> Puzzle:
    a, k = int(rng.integers(3, 10)), int(rng.integers(3, 7))
    return Puzzle("int", f"x == {a} ** {k} + {k}", lambda y: y == a**k + k, a**k + k)


def common(rng: np.random.Generator) -> Puzzle:
    a, b = _number(rng), _number(rng)
    source = f"x > 0 and x % {a} == 0 and x % {b} == 0"
    return Puzzle("int", source, lambda y: y > 0 and y % a == 0 and y % b == 0, math.lcm(a, b))


def palindrome(rng: np.random.Generator) -> Puzzle:
    s = _word(rng)
    return Puzzle(
        "str", f"x == x[::-1] and x.startswith('{s}')", lambda y: y == y[::-1] and y.startswith(s), s + s[::-1]
    )


def counted(rng: np.random.Generator) -> Puzzle:
    s, k = _word(rng), int(rng.integers(3, 9))
    return Puzzle("str", f"x.count('{s}') == {k}", lambda y: y.count(s) == k, s * k)


def completed(rng: np.random.Generator) -> Puzzle:
    s, t = _word(rng), _word(rng)
    return Puzzle("str", f"'{s}' + x == '{s + t}'", lambda y: s + y == s + t, t)


def lengthy(rng: np.random.Generator) -> Puzzle:
    s, k = _word(rng), int(rng.integers(20, 60))
    source = f"len(x) == {k} and set(x) <= set('{s}')"
    return Puzzle("str", source, lambda y: len(y) == k and set(y) <= set(s), s[0] * k)


def reversed_word(rng: np.random.Generator) -> Puzzle:
    s, t = _word(rng), _word(rng)
    return Puzzle("str", f"x[::-1] == '{s}' + '{t}'", lambda y: y[::-1] == s + t, (s + t)[::-1])


def falling(rng: np.random.Generator) -> Puzzle:
    t = _numbers(rng)
    source = f"sorted(x) == {t} and x[0] > x[-1]"
    return Puzzle("list", source, lambda y: sorted(y) == t and y[0] > y[-1], t[::-1])


def total(rng: np.random.Generator) -> Puzzle:
    a, k = _number(rng), int(rng.integers(4, 9))
    source = f"sum(x) == {a * k} and len(x) == {k} and len(set(x)) == 1"
    return Puzzle("list", source, lambda y: sum(y) == a * k and len(y) == k and len(set(y)) == 1, [a] * k)


def counting(rng: np.random.Generator) -> Puzzle:
    k = int(rng.integers(6, 40))
    source = f"len(x) == {k} and all(x[i] == i for i in range({k}))"
    return Puzzle("list", source, lambda y: len(y) == k and y == list(range(k)), list(range(k)))


def extremes(rng: np.random.Generator) -> Puzzle:
    a, b = sorted((_number(rng), _number(rng, 1000, 2000)))
    source = f"min(x) == {a} and max(x) == {b}"
    return Puzzle("list", source, lambda y: bool(y) and min(y) == a and max(y) == b, [a, b])


def subset(rng: np.random.Generator) -> Puzzle:
    t = _numbers(rng)
    chosen = sorted(int(k) for k in rng.choice(t, 3, replace=False))
    goal = sum(chosen)
    source = f"set(x) <= set({t}) and len(set(x)) == len(x) and sum(x) == {goal}"
    return Puzzle("list", source, lambda y: set(y) <= set(t) and len(set(y)) == len(y) and sum(y) == goal, chosen)


TEMPLATES: tuple[Callable[[np.random.Generator], Puzzle], ...] = (
    *(added, taken, multiplied, divided, remainder, between, root, factor, power, common),
    *(palindrome, counted, completed, lengthy, reversed_word, falling, total, counting, extremes, subset),
)


def solves(puzzle: Puzzle, x: Any) -> bool:
    """Never raises: what a puzzle cannot digest is no answer."""
    if not well_typed(puzzle.kind, x):
        return False
    try:
        return bool(puzzle.holds(x))
    except (IndexError, ValueError, ZeroDivisionError):
        return False
