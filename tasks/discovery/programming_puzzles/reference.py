"""Enumeration by a grammar that copies from the puzzle, with a prior bootstrapped on what was solved (Schuster et al.
2021, section 4.1 and the bootstrapped solvers of 4.2).

Values are made bottom up in order of their cost, minus the log probability of the rules that make them: constants of
the puzzle (the COPY rule), a few constants of everyday, and operations. After a round the counts of rules in the
solutions, plus one, are the new probabilities; what is unsolved is tried again by them.
"""

import ast
import math

ROUNDS = 3
UNIT = 0.5
LARGEST, LONGEST = 10**9, 200
CONSTANTS = (0, 1, 2, [])
KINDS = {"int": int, "str": str, "list": list}
MOST_VALUES = 1500


def _whole(a, b):
    return isinstance(a, int) and isinstance(b, int)


def _parts(a, b):
    return not isinstance(a, int) and isinstance(b, int) and abs(b) <= LONGEST


OPERATIONS = {
    "add": lambda a, b: a + b if _whole(a, b) else None,
    "subtract": lambda a, b: a - b if _whole(a, b) else None,
    "multiply": lambda a, b: a * b if _whole(a, b) else None,
    "divide": lambda a, b: a // b if _whole(a, b) and b else None,
    "remainder": lambda a, b: a % b if _whole(a, b) and b else None,
    "power": lambda a, b: a**b if _whole(a, b) and 0 <= b < 10 and abs(a) < 1000 else None,
    "join": lambda a, b: a + b if type(a) is type(b) and not isinstance(a, int) else None,
    "repeat": lambda a, b: a * b if _parts(a, b) and 0 < b * len(a) <= LONGEST else None,
    "drop": lambda a, b: a[b:] if _parts(a, b) else None,
    "put": lambda a, b: [a, *b] if isinstance(a, int) and isinstance(b, list) else None,
    "reverse": lambda a: None if isinstance(a, int) else a[::-1],
    "length": lambda a: None if isinstance(a, int) else len(a),
    "range": lambda a: list(range(a)) if isinstance(a, int) and 0 < a <= LONGEST else None,
    "one": lambda a: [a] if isinstance(a, int) else None,
}
UNARY = ("reverse", "length", "range", "one")
RULES = ("copy", "constant", *OPERATIONS)


def solve(oracle, puzzles, budget):
    counts, unsolved, left = dict.fromkeys(RULES, 1.0), list(range(len(puzzles))), budget
    for turn in range(ROUNDS):
        costs = _costs(counts)
        used = dict.fromkeys(RULES, 0.0)
        for number in list(unsolved):
            share = left // (len(unsolved) * (ROUNDS - turn))
            answers, rules = _answers(puzzles[number], costs, share)
            solved = oracle.check(number, answers) if answers else []
            left -= len(answers)
            if any(solved):
                unsolved.remove(number)
                for rule in rules[solved.index(True)]:
                    used[rule] += 1
        counts = {rule: counts[rule] + used[rule] for rule in RULES}
        if not unsolved:
            return


def _costs(counts):
    """Whole units of minus log probability."""
    total = sum(counts.values())
    return {rule: max(1, round(-math.log(count / total) / UNIT)) for rule, count in counts.items()}


def _copied(source):
    """Constants of the puzzle, lists of numbers as one."""
    found = []
    for node in ast.walk(ast.parse(source, mode="eval")):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | str):
            found.append(node.value)
        elif isinstance(node, ast.List):
            found.append(ast.literal_eval(node))
    return found


def _answers(puzzle, costs, count):
    """At most ``count`` values of the puzzle's kind, cheapest first, and the rules behind each."""
    pool = Pool()
    for value in _copied(puzzle["source"]):
        pool.offer(costs["copy"], value, ("copy",))
    for value in CONSTANTS:
        pool.offer(costs["constant"], value, ("constant",))
    kind = KINDS[puzzle["kind"]]
    answers, rules = [], []
    for level in range(1, 60):
        pool.grow(level, costs)
        for value, made in pool.levels.get(level, ()):
            if isinstance(value, kind):
                answers.append(value)
                rules.append(made)
        if len(answers) >= count or len(pool.seen) > MOST_VALUES:
            break
    return answers[:count], rules[:count]


class Pool:
    """Values by cost, none twice."""

    def __init__(self):
        self.levels, self.seen = {}, set()

    def offer(self, cost, value, rules):
        small = value is not None and (abs(value) <= LARGEST if isinstance(value, int) else len(value) <= LONGEST)
        if small and repr(value) not in self.seen:
            self.seen.add(repr(value))
            self.levels.setdefault(cost, []).append((value, rules))

    def grow(self, level, costs):
        """All that costs exactly ``level``."""
        for name, operation in OPERATIONS.items():
            rest = level - costs[name]
            if name in UNARY:
                for value, rules in list(self.levels.get(rest, ())):
                    self.offer(level, operation(value), (name, *rules))
                continue
            for first in range(1, rest):
                for a, left in self.levels.get(first, ()):
                    for b, right in self.levels.get(rest - first, ()):
                        self.offer(level, operation(a, b), (name, *left, *right))
