"""Values in order of the size of the expression that makes them, from constants of the puzzle and a few others."""

import re

# EVOLVE-BLOCK-START
LEAVES = (0, 1, 2, "a", [])
SIZES = 4
LARGEST = 10**9
LONGEST = 200


def combine(a, b):
    made = []
    if isinstance(a, int) and isinstance(b, int):
        made = [a + b, a - b, a * b]
        if b != 0:
            made = [*made, a // b, a % b]
        if 0 <= b <= LONGEST:
            made = [*made, list(range(b))]
    elif not isinstance(a, int) and isinstance(b, int):
        if 0 <= b * len(a) <= LONGEST:
            made = [a * b, a[b:], a[:b]]
    elif isinstance(a, int):
        if isinstance(b, list):
            made = [[a, *b]]
    elif type(a) is type(b):
        made = [a + b, a[::-1]]
    return made


def fits(value):
    return abs(value) <= LARGEST if isinstance(value, int) else len(value) <= LONGEST


def constants(source):
    numbers = [int(text) for text in re.findall(r"\d+", source)]
    words = re.findall(r"'(\w+)'", source)
    return numbers + words + list(LEAVES)


def enumerate_values(leaves, kind, count):
    levels = [leaves]
    seen = {repr(value) for value in leaves}
    answers = [value for value in leaves if isinstance(value, kind)]
    while len(levels) < SIZES and len(answers) < count:
        fresh = []
        for k in range(len(levels)):
            for a in levels[k]:
                for b in levels[len(levels) - 1 - k]:
                    for value in combine(a, b):
                        if fits(value) and repr(value) not in seen:
                            seen.add(repr(value))
                            fresh.append(value)
        levels.append(fresh)
        answers = answers + [value for value in fresh if isinstance(value, kind)]
    return answers[:count]


def solve(oracle, puzzles, budget):
    kinds = {"int": int, "str": str, "list": list}
    share = budget // len(puzzles)
    for number, puzzle in enumerate(puzzles):
        leaves = constants(puzzle["source"])
        answers = enumerate_values(leaves, kinds[puzzle["kind"]], share)
        oracle.check(number, answers)


# EVOLVE-BLOCK-END
