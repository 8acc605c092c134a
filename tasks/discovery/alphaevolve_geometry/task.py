"""Extremal point sets and packings, the tasks of the AlphaEvolve line (Khrulkov et al. 2025, GigaEvo).

The paper evolves programs that construct them and reproduces the published records. Here a program gets a fraction of
a second of CPU time and unseen containers, so that it must search and cannot recite.

Scaled down: 0.1 s an instance instead of minutes; n up to 14 circles and 9 points. The published instances (26 and 32
circles, 11 points in a triangle) need a longer clock; size ``gpu`` only comes nearer under the same one.

Changed against the catalogue's sketch: values are divided by constants that need no run of a strong method (a table by
n, the hexagonal density), which only weighs the kinds against each other, so a value of 1 is not a bound; kissing uses
d = 7 ... 12, because in d = 4 and 5 the baseline's D_d roots are already the best known and the 72 vectors of E_6 have
no integer coordinates in six dimensions; the zero vector is refused (it would pass the distance rule and count).
Kissing carries one sixth of the weight, since its answers can be known by heart.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import exact_array
from ....sandbox import MIB, Limits
from .. import workloads

Array = np.ndarray[Any, Any]
OVERLAP = 1e-9
LARGEST_ENTRY = 10**6
MOST_VECTORS = 2000

STATEMENT = """
Construct extremal sets within a CPU budget. `construct(problem, cpu_seconds, seed)` is called once per problem, in a
fresh process; `problem["kind"]` is one of:

- `"packing"`: `n` circles in the rectangle [0, `width`] x [0, `height`] with disjoint interiors. **Maximise the sum of
  the radii.** Return float64 (n, 3): x, y, r per circle.
- `"heilbronn"`: `n` points in the convex polygon `vertices` (k, 2), counter-clockwise. **Maximise the area of the
  smallest triangle** that three of them span. Return float64 (n, 2).
- `"kissing"`: integer vectors in `dimension` dimensions whose smallest mutual distance is at least the largest norm.
  **Maximise their number.** Return int64 (m, dimension), entries at most 10^6 in size, m at most 2000.

**Measured.** Each value is divided by a constant of its problem (roughly the best known value); the objective is the
mean over the problems, larger is better. Problems differ from run to run in n, container and dimension.

**Feasibility is checked in exact rational arithmetic.** Circles that overlap each other or a wall by at most 1e-9 are
all shrunk by the worst overlap; larger overlaps are invalid. Points must lie in the polygon exactly (on its edge is
inside): rounding on the edge puts a point outside, so keep a hair's distance. Vectors must be non-zero and distinct.

**Time.** Read `time.process_time()`; plan for `cpu_seconds` (at most 0.1) from the call on. The process is killed at
0.3 s of CPU time, which makes the program invalid.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    seconds = 0.02 if size == "smoke" else 0.1
    if size == "smoke":
        problems = [workloads.packing(rng, 7), workloads.heilbronn(rng, 7, 4), workloads.kissing(7)]
    elif size == "default":
        problems = [workloads.packing(rng, int(n)) for n in rng.integers(9, 15, 2)]
        problems += [workloads.heilbronn(rng, int(rng.integers(7, 10)), corners) for corners in (3, 4, 5)]
        problems += [workloads.kissing(int(rng.integers(8, 13)))]
    else:
        problems = [workloads.packing(rng, int(n)) for n in rng.integers(15, 19, 4)]
        problems += [workloads.heilbronn(rng, int(rng.integers(10, 13)), corners) for corners in (3, 4, 5, 5)]
        problems += [workloads.kissing(11), workloads.kissing(12)]
    return [
        Instance(
            f"{problem['kind']}-{k}",
            {"problem": problem, "cpu_seconds": seconds, "seed": int(rng.integers(2**31))},
        )
        for k, problem in enumerate(problems)
    ]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    problem = instance.inputs["problem"]
    kind = problem["kind"]
    if kind == "kissing":
        return _judge_kissing(problem, output)
    columns = 3 if kind == "packing" else 2
    output = exact_array(output, dtype=np.float64, shape=(problem["n"], columns), name=kind, low=-1e3, high=1e3)
    exact = [[Fraction(value) for value in row] for row in output.tolist()]
    return _judge_packing(problem, exact) if kind == "packing" else _judge_heilbronn(problem, exact)


def _judge_packing(problem: dict[str, Any], circles: list[list[Fraction]]) -> Verdict:
    if min(r for _, _, r in circles) < 0:
        return Verdict.invalid("packing: a radius is negative")
    if not _disjoint(circles, problem):
        overlap = _overlap(circles, problem)
        if not overlap <= OVERLAP:
            return Verdict.invalid("packing: circles overlap, or leave the rectangle, by more than 1e-9")
        shrink = Fraction(overlap) + Fraction(1, 10**12)
        circles = [[x, y, max(r - shrink, Fraction(0))] for x, y, r in circles]
        if not _disjoint(circles, problem):
            return Verdict.invalid("packing: circles overlap or leave the rectangle")
    value = float(sum(r for _, _, r in circles)) / workloads.packing_yardstick(problem)
    return Verdict(valid=True, metrics={"quality": value, "packing_quality": value})


def _disjoint(circles: list[list[Fraction]], problem: dict[str, Any]) -> bool:
    width, height = Fraction(problem["width"]), Fraction(problem["height"])
    inside = all(r <= x <= width - r and r <= y <= height - r for x, y, r in circles)
    return inside and all(
        (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= (a[2] + b[2]) ** 2 for a, b in itertools.combinations(circles, 2)
    )


def _overlap(circles: list[list[Fraction]], problem: dict[str, Any]) -> float:
    """The worst overlap of two circles or of a circle with a wall, in floating point."""
    x, y, r = np.array(circles, dtype=float).T
    walls = np.max([r - x, r - y, x + r - problem["width"], y + r - problem["height"]])
    i, j = np.triu_indices(len(r), 1)
    return float(max(walls, (r[i] + r[j] - np.hypot(x[i] - x[j], y[i] - y[j])).max()))


def _judge_heilbronn(problem: dict[str, Any], points: list[list[Fraction]]) -> Verdict:
    corners = [[Fraction(value) for value in corner] for corner in problem["vertices"].tolist()]
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    if not all(_turn(a, b, point) >= 0 for a, b in edges for point in points):
        return Verdict.invalid("heilbronn: a point lies outside the polygon")
    smallest = min(abs(_turn(a, b, c)) for a, b, c in itertools.combinations(points, 3))
    area = sum(a[0] * b[1] - a[1] * b[0] for a, b in edges)
    value = float(smallest / area) / workloads.heilbronn_yardstick(problem)
    return Verdict(valid=True, metrics={"quality": value, "heilbronn_quality": value})


def _turn(a: list[Fraction], b: list[Fraction], c: list[Fraction]) -> Fraction:
    """Twice the signed area of a triangle."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _judge_kissing(problem: dict[str, Any], output: Any) -> Verdict:
    dimension = problem["dimension"]
    bounds = {"low": -LARGEST_ENTRY, "high": LARGEST_ENTRY}
    vectors = exact_array(output, dtype=np.int64, shape=(None, dimension), name="kissing", **bounds)
    if not 2 <= len(vectors) <= MOST_VECTORS:
        return Verdict.invalid(f"kissing: there must be between 2 and {MOST_VECTORS} vectors")
    gram = vectors @ vectors.T
    norms = np.diag(gram)
    if norms.min() == 0:
        return Verdict.invalid("kissing: the zero vector is not allowed")
    distances = norms[:, None] + norms[None, :] - 2 * gram
    if distances[np.triu_indices(len(vectors), 1)].min() < norms.max():
        return Verdict.invalid("kissing: two vectors are closer than the largest norm")
    return Verdict(valid=True, metrics={"quality": len(vectors) / workloads.KISSING[dimension]})


task = Task(
    id="alphaevolve_geometry",
    family="discovery",
    title="Extremal packings and point sets",
    paper=Paper("GigaEvo: An Open Source Optimization Framework Powered By LLMs And Evolution Algorithms", 2025),
    entry=Entry("def construct(problem: dict, cpu_seconds: float, seed: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("quality", Direction.MAXIMIZE, "linear", unit="share of best known"),
    descriptors=(
        Descriptor("heilbronn_quality", 0.0, 1.2, bins=8),
        Descriptor("packing_quality", 0.7, 1.0, bins=8),
        Descriptor("code_size", 300, 5000, bins=6, scale="log"),
    ),
    kind="both",
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.3, wall_seconds=5.0, memory_bytes=1024 * MIB),
        imports=("numpy", "scipy.optimize"),
    ),
    claim=(
        "Evolved programs reach the records for circle packing, Heilbronn points and kissing vectors; measured here is "
        "the mean value that a fraction of a second of search reaches on unseen containers."
    ),
)
