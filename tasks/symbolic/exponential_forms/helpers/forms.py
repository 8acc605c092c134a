"""A form written in Python, recorded as straight-line instructions, and its constants fitted to samples.

The fit is by least squares (Levenberg 1944, Marquardt 1963) and then to the least largest error, by reweighting
(Lawson 1961). Residuals are in extended precision where the machine has it, slopes too.
"""

import numbers

import numpy as np

LONG = np.longdouble
ROUNDS, POLISH = 120, 16
PROBE = 0.1
PATIENCE = 12
STALLED = 1e-3
FLOOR = 0.02


class Quantity:
    """x, or what an instruction gives. Arithmetic with it is recorded on its tape; each number is a constant to fit."""

    def __init__(self, tape, operand):
        self.tape, self.operand = tape, operand

    def __add__(self, other):
        return self.tape.recorded("+", self, other)

    def __radd__(self, other):
        return self.tape.recorded("+", other, self)

    def __sub__(self, other):
        return self.tape.recorded("-", self, other)

    def __rsub__(self, other):
        return self.tape.recorded("-", other, self)

    def __mul__(self, other):
        return self.tape.recorded("*", self, other)

    def __rmul__(self, other):
        return self.tape.recorded("*", other, self)

    def __truediv__(self, other):
        return self.tape.recorded("/", self, other)

    def __rtruediv__(self, other):
        return self.tape.recorded("/", other, self)

    def __neg__(self):
        return self.tape.recorded("-", 0.0, self)

    def __pow__(self, power):
        if not isinstance(power, int) or not 1 <= power <= 8:
            raise TypeError("a power is a whole number from 1 to 8")
        half = self if power < 4 else self ** (power // 2)
        rest = half * half if power > 1 else half
        return rest * self if power % 2 and power > 1 else rest


class Tape:
    """Instructions (op, a, b); an operand is "x", an index, or ("c", k) for constant k. No instruction stands twice."""

    def __init__(self):
        self.instructions, self.constants, self.known = [], [], {}

    def recorded(self, op, left, right):
        instruction = (op, self.operand(left), self.operand(right))
        if instruction not in self.known:
            self.known[instruction] = len(self.instructions)
            self.instructions.append(instruction)
        return Quantity(self, self.known[instruction])

    def operand(self, value):
        if isinstance(value, Quantity):
            return value.operand
        if not isinstance(value, numbers.Real):
            raise TypeError(f"a form holds numbers and x, not {type(value).__name__}")
        self.constants.append(float(value))
        return "c", len(self.constants) - 1


def recorded(form):
    """The instructions that lead to what ``form(x)`` returns, and the numbers in them. Raises: TypeError."""
    tape = Tape()
    result = form(Quantity(tape, "x"))
    if not isinstance(result, Quantity) or result.operand == "x":
        raise TypeError("a form must compute something from x")
    needed = {result.operand}
    for index in range(result.operand, -1, -1):
        if index in needed:
            needed |= {v for v in tape.instructions[index][1:] if isinstance(v, int)}
    places = {index: place for place, index in enumerate(sorted(needed))}
    constants = []

    def moved(operand):
        if isinstance(operand, tuple):
            constants.append(tape.constants[operand[1]])
            return "c", len(constants) - 1
        return places.get(operand, operand)

    return [(op, moved(a), moved(b)) for op, a, b in map(tape.instructions.__getitem__, places)], np.array(constants)


def values(instructions, x, constants):
    """The form at ``x`` (n,), and its slopes by the constants (n, m), in extended precision."""
    known = {"x": (x, LONG(0))} | {("c", k): (c, np.eye(1, len(constants), k)) for k, c in enumerate(constants)}
    done = []
    for op, left, right in instructions:
        (a, da), (b, db) = (done[v] if isinstance(v, int) else known[v] for v in (left, right))
        u, v = (np.atleast_1d(w)[:, None] for w in (a, b))
        if op == "+":
            done.append((a + b, da + db))
        elif op == "-":
            done.append((a - b, da - db))
        elif op == "*":
            done.append((a * b, v * da + u * db))
        else:
            done.append((a / b, (da - u / v * db) / v))
    value, slope = done[-1]
    return value, np.broadcast_to(slope, (len(x), len(constants)))


def solved(matrix, aim):
    """Least squares by the modified Gram-Schmidt process; None where the columns depend on each other."""
    left, rest, count = matrix.copy(), aim.copy(), matrix.shape[1]
    upper, reached = np.zeros((count, count), LONG), np.zeros(count, LONG)
    for k in range(count):
        length = np.sqrt((left[:, k] ** 2).sum())
        if not 0 < length < np.inf:
            return None
        direction = left[:, k] / length
        upper[k, k], reached[k] = length, (direction * rest).sum()
        upper[k, k + 1 :] = (direction[:, None] * left[:, k + 1 :]).sum(axis=0)
        left[:, k + 1 :] -= direction[:, None] * upper[k, k + 1 :]
        rest -= direction * reached[k]
    for k in reversed(range(count)):
        reached[k] = (reached[k] - (upper[k, k + 1 :] * reached[k + 1 :]).sum()) / upper[k, k]
    return reached


def step(slope, residual, damping):
    """The move of the constants that takes the residual away, held back by ``damping``; None where there is none."""
    scale = np.sqrt((slope**2).sum(axis=0))
    if not (np.isfinite(slope).all() and np.isfinite(residual).all() and scale.all()):
        return None
    system, aim = slope / scale, residual
    if damping:
        system = np.vstack([system, np.sqrt(damping) * np.eye(len(scale), dtype=LONG)])
        aim = np.append(aim, np.zeros(len(scale), LONG))
    move = solved(system, aim)
    return None if move is None else move / scale


def least_squares(problem, start):
    """Constants, of the least mean squared error that is found.

    The second order of each step is taken along (geodesic acceleration, Transtrum and Sethna 2012): quotients within
    quotients bend so much that without it the fit stops halfway, six digits early.
    """
    best, damping, idle = start, LONG(1e-2), 0
    least, slope, residual = problem(start)
    for _ in range(ROUNDS):
        move = step(slope, residual, damping)
        if move is None or idle > PATIENCE:
            break
        ahead = problem(best - PROBE * move)[2]
        bend = 2 / PROBE * ((ahead - residual) / PROBE + (slope * move).sum(axis=1))
        second = step(slope, bend, damping)
        scale = np.sqrt((slope**2).sum(axis=0))
        if second is not None and np.abs(second * scale).max() < np.abs(move * scale).max():
            move = move + second / 2
        error, *there = problem(best - move)
        idle = 0 if error < (1 - STALLED) * least else idle + 1
        if error < least:
            best, least, (slope, residual), damping = best - move, error, there, damping / 5
        else:
            damping *= 3
    return best


def least_largest(problem, start):
    """Constants near ``start``, of the least largest error that is found."""
    best, least, trial, emphasis = start, np.inf, start, LONG(1)
    for _ in range(POLISH):
        _, slope, residual = problem(trial)
        error = np.abs(residual).max()
        if not error < 100 * least:
            break
        if error < least:
            best, least = trial, error
        emphasis = emphasis * (np.abs(residual) / error + FLOOR)
        emphasis = emphasis / emphasis.mean()
        w = np.sqrt(emphasis)
        move = step(slope * w[:, None], residual * w, 0.0)
        if move is None:
            break
        trial = trial - move
    return best


def fitted(form, xs, fs):
    """``form`` as a list of (op, a, b), its constants fitted to the samples ``fs`` (decimal strings) at ``xs``.

    The numbers in the form are where the fit starts. Raises: TypeError.
    """
    instructions, numbers_ = recorded(form)
    x, f = np.array(xs, dtype=LONG), np.array([LONG(s) for s in fs])
    weights, constants = 1 / np.abs(f), numbers_.astype(LONG)

    def problem(constants):
        value, slope = values(instructions, x, constants)
        residual = (value - f) * weights
        return np.sqrt(np.mean(residual**2)), slope * weights[:, None], residual

    if len(constants):
        with np.errstate(all="ignore"):
            constants = least_largest(problem, least_squares(problem, constants))

    texts = [np.format_float_scientific(constant, unique=True) for constant in constants]

    def written(operand):
        return texts[operand[1]] if isinstance(operand, tuple) else operand

    return [(op, written(a), written(b)) for op, a, b in instructions]
