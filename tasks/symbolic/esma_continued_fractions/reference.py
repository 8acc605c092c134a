"""ESMA: enumerate, signed continued fraction, Massey, approve (Razon, Harris, Gottlieb, Carmel, David, Kaminer 2023).

Moebius images x = (a c + b) / (a' c + b') with small entries, the simplest first, are expanded with periodic signs s,
x = A_0 + s_1 / (A_1 + s_2 / (A_2 + ...)): A_n = floor(x) before a sign +, floor(x) + 1 before a sign -. Massey's
algorithm finds the shortest recurrence of the terms; it is approved if it leaves spare terms that it predicts.
"""

import itertools

PRIME = 2**31 - 1
SKIP = 3
SPARE = 4
FEWEST = 10
LARGEST = 100
SIGNS = ((1,), (1, -1), (-1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1), (1, -1, -1), (1, 1, -1, -1), (1, -1, -1, 1))
MAPS = sorted(
    (m for m in itertools.product(range(-2, 3), repeat=4) if 1 <= m[0] * m[3] - m[1] * m[2] <= 4 and m > (0, 0, 0, 0)),
    key=lambda m: sum(map(abs, m)),
)


def find_formulas(constants, digits):
    return [find_formula(int(text.replace(".", "")), 10**digits) for text in constants]


def find_formula(value, unit):
    for entries in MAPS:
        low, high = image(entries, value, unit), image(entries, value + 1, unit)
        found = [formula for signs in SIGNS if (formula := approved(entries, signs, low, high)) is not None]
        if found:
            return min(found, key=lambda formula: len(formula["recurrence"]))
    return None


def image(entries, value, unit):
    a, b, c, d = entries
    above, below = a * value + b * unit, c * value + d * unit
    return (above, below) if below >= 0 else (-above, -below)


def approved(entries, signs, low, high):
    terms = expanded(low, high, signs)
    count = len(terms) - SKIP
    if count < FEWEST:
        return None
    recurrence = shortest_recurrence(terms[SKIP:])
    if 2 * len(recurrence) + SPARE > count or max(map(abs, recurrence), default=0) > LARGEST:
        return None
    initial = terms[: SKIP + len(recurrence)]
    return {"map": list(entries), "signs": list(signs), "initial": initial, "recurrence": recurrence}


def expanded(low, high, signs):
    """Terms on which both ends, (numerator, denominator) each, agree."""
    (p, q), (r, s), terms = low, high, []
    while q and s and p // q == r // s:
        sign = signs[len(terms) % len(signs)]
        term = p // q if sign > 0 else p // q + 1
        terms.append(term)
        p, q, r, s = sign * q, p - term * q, sign * s, r - term * s
        if q < 0:
            p, q = -p, -q
        if s < 0:
            r, s = -r, -s
    return terms


def shortest_recurrence(terms):
    """Coefficients r with A_n = sum r_i A_(n-i), symmetric residues modulo the prime (Massey 1969)."""
    connection, before, length, gap, scale = [1], [1], 0, 1, 1
    for n in range(len(terms)):
        wrong = sum(connection[i] * terms[n - i] for i in range(min(length, len(connection) - 1) + 1)) % PRIME
        if wrong == 0:
            gap += 1
            continue
        kept = connection[:]
        factor = wrong * pow(scale, -1, PRIME) % PRIME
        connection += [0] * (len(before) + gap - len(connection))
        for i, value in enumerate(before):
            connection[i + gap] = (connection[i + gap] - factor * value) % PRIME
        if 2 * length <= n:
            length, before, scale, gap = n + 1 - length, kept, wrong, 1
        else:
            gap += 1
    connection += [0] * (length + 1 - len(connection))
    return [-c if c <= PRIME // 2 else PRIME - c for c in connection[1 : length + 1]]
