"""Training at a constant rate that overshoots (Dubey et al. 2020, diffGrad).

diffGrad multiplies Adam's step, entry by entry, by a friction between 1/2 and 1 that is small where the gradient
hardly changes, so that the method overshoots less and settles closer.

Scaled down: monkey saddles in 20 variables, logistic regressions and a perceptron on made-up glyphs instead of residual
networks on CIFAR; 1,000 steps.

What reproduces: at the rates 0.03 and 0.1 diffGrad leaves about half of Adam's gap. What it comes from: gradients here
change by less than about one, where the friction is little more than 1/2, and Adam at half the rate, a known program,
does as well. Where Adam is not at its noise floor (rates of 0.001 and short training) diffGrad is slower for the same
reason. A decay of the rate, also known, is worth several times as much, so scores above 1 are open from the start.

What does not reproduce: on the paper's three functions of one variable, stretched and summed, with noisy slopes, the
ratio of the gaps was 0.3 to 1.8 from draw to draw: which minimum a coordinate ends in decides, not the friction.

Changed against the catalogue's sketch: saddles instead of those functions; 1,000 steps instead of 3,000; made-up
glyphs instead of digits, which lie in the clear where scikit-learn is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ....evaluators import Descriptor, Direction, Entry, Instance, Objective, Paper, Size, Task, TaskLimits
from ....sandbox import MIB, Limits
from ..stochastic import (
    NoisyGradients,
    Stochastic,
    gap_verdict,
    glyph_net,
    ill_scaled_logistic,
    instance_of,
    saddles,
)

STATEMENT = """
Minimise functions from noisy gradients, starting with a step size that is **too large to settle with**.

`train(oracle, x0, N, lr)` may call `g = oracle.grad(x)` at most `N` times (1000 at full size): x float64 (d,), g an
unbiased noisy gradient there, float64 (d,). `lr` is the rate that a user chose: 0.03 or 0.1. Return a point (d,).

**Measured.** The relative gap (f(x) - f*) / (f(x0) - f*) at the point returned, at most 1000, without noise; geometric
mean over the functions (after adding 1e-5), smaller is better. `lr` is information, not an order: other steps, decays
and averages are allowed.

**The functions.** Non-convex functions that start near a saddle, ill-scaled logistic regressions on minibatches, and
a small neural network on minibatches (f* is then 0). d is 20 to some thousands.

**Rules.** Entries of points are at most 10^6 in size. A call with an array of another shape or not finite is refused
with an exception and uses up a call; so does every call beyond `N`, without an answer.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    steps, d, n, hidden = {"smoke": (400, 10, 200, 8), "default": (1000, 20, 400, 24), "gpu": (3000, 100, 4000, 96)}[
        size
    ]
    plan: list[tuple[str, float, Callable[[], Stochastic]]] = [
        ("saddles-0.1", 0.1, lambda: saddles(rng, d)),
        ("logistic-0.1", 0.1, lambda: ill_scaled_logistic(rng, n, n // 8, 16)),
        ("glyphs-0.1", 0.1, lambda: glyph_net(rng, hidden, 32)),
        ("saddles-0.03", 0.03, lambda: saddles(rng, d)),
        ("logistic-0.03", 0.03, lambda: ill_scaled_logistic(rng, n, n // 8, 16)),
        ("glyphs-0.03", 0.03, lambda: glyph_net(rng, hidden, 32)),
    ]
    chosen = plan[:2] if size == "smoke" else plan
    return [instance_of(rng, name, build(), steps, rate) for name, rate, build in chosen]


task = Task(
    id="diffgrad_friction",
    family="optimizers",
    title="A constant rate that overshoots",
    paper=Paper("diffGrad: An Optimization Method for Convolutional Neural Networks", 2020),
    entry=Entry("def train(oracle: Oracle, x0: np.ndarray, N: int, lr: float) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=gap_verdict,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-5),
    descriptors=(
        Descriptor("stride", 1e-3, 10.0, bins=8, scale="log"),
        Descriptor("calls", 0.0, 1.0, bins=4),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=NoisyGradients,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=100.0,
    claim=(
        "Friction where gradients change little lets Adam overshoot less at the same rate; measured is the gap left "
        "at constant rates of 0.03 and 0.1."
    ),
)
