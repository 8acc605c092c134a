"""Search over short programs with an inner fit of their constants (after Real et al. 2023, AutoNumerics-Zero).

The evolution of the paper is started from a compact family that holds the forms such searches find: polynomials and
continued fractions c0 + c1/(v + c2 + c3/(v + ...)) in v = x or x^2, inside (q + x)/(q - x), a factor x, or repeated
squaring y <- y^2 and y <- y^2 + c. Every form gets starting constants from a linear fit to the target pulled back
through the outer steps, then Gauss-Newton; the best are fitted to the least maximum error by reweighting (Lawson 1961),
and mutated by an inserted or rewired operation while time is left.

A program is a list of (op, a, b); an operand is "x", an index, or ("c", k) for constant k. Residuals are in extended
precision where the machine has it, which carries constants to about 18 digits.
"""

import itertools
import time

import numpy as np

SHARE = 0.85
SCREENED = 4
POLISH = 25
FLOOR = 0.02
OVERSHOOT = 1e6
PIECES = 16
LONG = np.longdouble


def approximate(target, lo, hi, max_ops, xs, fs, cpu_seconds):
    end = time.process_time() + SHARE * cpu_seconds
    x, f = np.array(xs, dtype=LONG), np.array([LONG(s) for s in fs])
    weights = 1 / np.abs(f) if f.min() * f.max() > 0 else np.full_like(f, 1 / np.abs(f).max())
    problem = (x, f, weights)
    scored = []
    for form in sorted(forms(x, f, max_ops), key=lambda form: -cost(form)):
        if scored and time.process_time() > end - 0.35 * cpu_seconds:
            break
        built = build(form, x, f)
        if built is not None:
            program, constants = built
            constants, error = fit(program, constants, problem, SCREENED, reweigh=False)
            scored.append((error, len(scored), program, constants))
    ranked = sorted(scored)
    scored = [entry for entry in ranked[:8] if clear(entry[2], entry[3], x)] or [
        entry for entry in ranked[8:] if clear(entry[2], entry[3], x)
    ]
    best = scored[0]
    for k, (screened, _, program, rough) in enumerate(scored[:3]):
        if (k and time.process_time() > end) or screened > 30 * best[0]:
            break
        constants, error = fit(program, rough, problem, POLISH, reweigh=True)
        if error < best[0] and clear(program, constants, x):
            best = (error, k, program, constants)
    rng = np.random.default_rng(0)
    while time.process_time() < end - 0.1 * cpu_seconds:
        program, constants = mutate(best[2], best[3], max_ops, rng)
        constants, error = fit(program, constants, problem, SCREENED, reweigh=True)
        if error < best[0] and clear(program, constants, x):
            best = (error, 0, program, constants)
    return written(best[2], best[3])


def forms(x, f, max_ops):
    """All (odd factor, cayley, square, outer squarings with and without constant, head degree, levels) in budget."""
    mirrored = x[0] == -x[-1]
    even = mirrored and np.abs(f - f[::-1]).max() < 1e-15 * np.abs(f).max()
    odd = mirrored and np.abs(f + f[::-1]).max() < 1e-15 * np.abs(f).max()
    found = []
    shapes = [(m, levels) for m in range(7) for levels in range(5) if m + levels > 0]
    for plain, shifted, (m, levels) in itertools.product(range(5), range(3), shapes):
        if odd:
            variants = [(True, False, True)] if plain + shifted == 0 else []
        elif even:
            variants = [(False, False, True)]
        else:
            variants = [(False, False, False)] + [(False, True, True)] * int(f.min() > 0 and shifted == 0)
        for factor, cayley, squared in variants:
            if plain and (f.min() <= 0 or shifted):
                continue
            form = (factor, cayley, squared, plain, shifted, m, levels)
            if max_ops - 1 <= cost(form) <= max_ops:
                found.append(form)
    return found


def cost(form):
    factor, cayley, squared, plain, shifted, m, levels = form
    return factor + 3 * cayley + squared + plain + 2 * shifted + 2 * m + 3 * levels


def build(form, x, f):
    """Program and starting constants of a form, or None where the target cannot be pulled back through it."""
    factor, cayley, squared, plain, shifted, m, levels = form
    inner, added = f.astype(float), []
    x = x.astype(float)
    for _ in range(plain):
        inner = np.sqrt(inner)
    for _ in range(shifted):
        added.append(-np.abs(inner).max())
        inner = np.sqrt(inner - added[-1])
    keep = np.ones(len(x), dtype=bool)
    if factor:
        keep = np.abs(x) > 1e-3 * np.abs(x).max()
        inner = inner[keep] / x[keep]
    elif cayley:
        keep = np.abs(inner - 1) > 1e-6
        if keep.sum() < len(x) - 3:
            return None
        inner = x[keep] * (inner[keep] + 1) / (inner[keep] - 1)
    v = x[keep] ** 2 if squared else x[keep]
    constants = start(v, inner, m, levels)
    if not np.isfinite(constants).all():
        return None
    program = []

    def emit(op, a, b):
        program.append((op, a, b))
        return len(program) - 1

    argument = emit("*", "x", "x") if squared else "x"
    value = fraction(emit, argument, m, levels)
    if cayley:
        value = emit("/", emit("+", value, "x"), emit("-", value, "x"))
    if factor:
        value = emit("*", value, "x")
    for constant in added[::-1]:
        value = emit("+", emit("*", value, value), ("c", len(constants)))
        constants = np.append(constants, constant)
    for _ in range(plain):
        value = emit("*", value, value)
    return program, constants.astype(LONG)


def fraction(emit, v, m, levels):
    """Emit c_0 + c_1 v + ... + c_m v^m + d_0/(v + e_0 + d_1/(v + e_1 + ...)), constants in the order c, (d, e)..."""
    tail = None
    for level in reversed(range(levels)):
        d, e = ("c", m + 1 + 2 * level), ("c", m + 2 + 2 * level)
        below = emit("+", v, e)
        if tail is not None:
            below = emit("+", below, tail)
        tail = emit("/", d, below)
    value = ("c", m)
    for k in reversed(range(m)):
        value = emit("+", emit("*", value, v), ("c", k))
    return value if tail is None else emit("+", value, tail)


def start(v, f, m, levels):
    """Constants of the fraction, by a linearised rational fit and Euclid's algorithm on numerator and denominator."""
    center, half = (v.max() + v.min()) / 2, (v.max() - v.min()) / 2
    s = (v - center) / half
    upper = np.polynomial.chebyshev.chebvander(s, m + levels)
    lower = np.polynomial.chebyshev.chebvander(s, levels)
    system = np.concatenate([upper, -f[:, None] * lower[:, 1:]], axis=1)
    solved = np.linalg.lstsq(system, f, rcond=None)[0]
    scaled = np.poly1d([1 / half, -center / half])
    top = np.poly1d(np.polynomial.chebyshev.cheb2poly(solved[: m + levels + 1])[::-1])(scaled)
    bottom = np.poly1d(np.polynomial.chebyshev.cheb2poly(np.append(1.0, solved[m + levels + 1 :]))[::-1])(scaled)
    if levels == 0:
        head = np.zeros(m + 1)
        head[: top.order + 1] = top.coeffs[::-1]
        return head
    quotient, rest = np.polydiv(top.coeffs, bottom.coeffs)
    constants = list(quotient[::-1])
    above, below = bottom.coeffs, rest
    for _ in range(levels):
        if len(below) != len(above) - 1 or below[0] == 0:
            return np.array([np.nan])
        quotient, rest = np.polydiv(above, below)
        constants += [1 / quotient[0], quotient[1] / quotient[0]]
        above, below = below, rest / quotient[0]
    return np.array(constants)


def run(program, x, constants):
    """Values (nodes,) in extended precision and their derivatives by the constants (nodes, constants) in double."""
    count = len(constants)
    known = {"x": (x, None)} | {("c", k): (c, np.eye(1, count, k)) for k, c in enumerate(constants)}
    values = []

    def scaled(factor, slope):
        return None if slope is None else np.atleast_1d(np.asarray(factor, dtype=float))[:, None] * slope

    def total(first, second):
        return second if first is None else first if second is None else first + second

    for op, left, right in program:
        (a, da), (b, db) = (values[v] if isinstance(v, int) else known[v] for v in (left, right))
        if op == "+":
            values.append((a + b, total(da, db)))
        elif op == "-":
            values.append((a - b, total(da, scaled(-1, db))))
        elif op == "*":
            values.append((a * b, total(scaled(b, da), scaled(a, db))))
        else:
            if np.ndim(b) and b.min() <= 0 <= b.max():
                return None
            y = a / b
            values.append((y, total(scaled(1 / b, da), scaled(-y / b, db))))
    value, slope = values[-1]
    return value, np.zeros((len(x), count)) if slope is None else np.broadcast_to(slope, (len(x), count))


def clear(program, constants, x):
    """Whether interval arithmetic on short pieces finds every divisor away from zero."""
    cuts = np.interp(np.linspace(0, len(x) - 1, PIECES * (len(x) - 1) + 1), np.arange(len(x)), x.astype(float))
    known = {"x": (cuts[:-1], cuts[1:])} | {("c", k): (float(c), float(c)) for k, c in enumerate(constants)}
    spans = []
    with np.errstate(all="ignore"):
        for op, left, right in program:
            (a, b), (c, d) = (spans[v] if isinstance(v, int) else known[v] for v in (left, right))
            if op == "/":
                if not np.all((c > 0) | (d < 0)):
                    return False
                c, d = 1 / d, 1 / c
            if op in "+-":
                spans.append((a + c, b + d) if op == "+" else (a - d, b - c))
            else:
                corners = np.array(np.broadcast_arrays(a * c, a * d, b * c, b * d))
                spans.append((corners.min(axis=0), corners.max(axis=0)))
    return True


def fit(program, constants, problem, rounds, reweigh):
    """Gauss-Newton, then with Lawson weights. Returns the best constants and their maximum error.

    The continued fractions are so ill-conditioned that the first step often overshoots far and the next ones recover.
    """
    x, f, weights = problem
    emphasis = np.ones(len(x))
    best, best_error, step = constants, np.inf, 1.0
    with np.errstate(all="ignore"):
        for k in range(rounds):
            point = run(program, x, constants)
            value, slope = (np.full(len(x), np.inf), np.empty((len(x), 0))) if point is None else point
            residual = (value - f) * weights
            error = np.abs(residual).max()
            if not error < OVERSHOOT * best_error:
                step /= 4
                constants = best + step * (constants - best)
                if step < 1e-3 or k == 0:
                    break
                continue
            if error < best_error:
                best, best_error = constants, error
            if reweigh and k > 2:
                emphasis = emphasis * (np.abs(residual) / error + FLOOR).astype(float)
                emphasis /= emphasis.mean()
            w = np.sqrt(emphasis)
            matrix = slope * (weights.astype(float) * w)[:, None]
            scale = np.maximum(np.sqrt((matrix**2).sum(axis=0)), 1e-300)
            if not np.isfinite(matrix).all():
                break
            move = np.linalg.lstsq(matrix / scale, (residual / error).astype(float) * w, rcond=1e-14)[0]
            constants, step = constants - move / scale * error, 1.0
    return best, float(best_error)


def mutate(program, constants, max_ops, rng):
    """Insert an operation with a new constant behind a random instruction, or rewire one operand."""
    program, constants = list(program), constants.copy()
    k = int(rng.integers(len(program)))
    if len(program) < max_ops:
        op = "+*"[rng.integers(2)]
        program = [
            (o, *(v + 1 if isinstance(v, int) and v >= k else v for v in (a, b))) if i > k else (o, a, b)
            for i, (o, a, b) in enumerate(program)
        ]
        program.insert(k + 1, (op, k, ("c", len(constants))))
        return program, np.append(constants, LONG(op == "*"))
    op, left, right = program[k]
    other = ["x", *range(k)][rng.integers(k + 1)]
    program[k] = (op, other, right) if rng.random() < 0.5 else (op, left, other)
    return program, constants


def written(program, constants):
    def operand(v):
        return np.format_float_scientific(constants[v[1]], unique=True) if isinstance(v, tuple) else v

    return [(op, operand(a), operand(b)) for op, a, b in program]
