"""The simple continued fraction of the constant, and the shortest linear recurrence of its terms (Massey 1969)."""

# EVOLVE-BLOCK-START
PRIME = 2**31 - 1
SKIP = 3
SPARE = 4


def expanded(value, digits):
    """Terms that both ends of the interval [value, value + 1] / 10^digits have in common."""
    low, high = (value, 10**digits), (value + 1, 10**digits)
    terms = []
    while low[1] and high[1] and low[0] // low[1] == high[0] // high[1]:
        terms.append(low[0] // low[1])
        low, high = (low[1], low[0] - terms[-1] * low[1]), (high[1], high[0] - terms[-1] * high[1])
    return terms


def shortest_recurrence(terms):
    """Coefficients r with A_n = sum r_i A_(n-i), symmetric residues modulo the prime."""
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


def find_formulas(constants, digits):
    formulas = []
    for text in constants:
        terms = expanded(int(text.replace(".", "")), digits)
        recurrence = shortest_recurrence(terms[SKIP:])
        if 2 * len(recurrence) + SPARE <= len(terms) - SKIP and max(map(abs, recurrence), default=0) <= 100:
            initial = terms[: SKIP + len(recurrence)]
            formulas.append({"map": [1, 0, 0, 1], "signs": [1], "initial": initial, "recurrence": recurrence})
        else:
            formulas.append(None)
    return formulas


# EVOLVE-BLOCK-END
