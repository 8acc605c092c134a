"""Scheduling one training iteration of mixture-of-experts layers (Pan et al. 2025, FSMoE).

The paper runs inter-node, intra-node and compute streams at once, chooses a pipeline degree for each layer and pass
from a fitted time model, and cuts the gradients' all-reduce into pieces that idle links hide.

Scaled down: clusters and their contention become the model of start-up plus proportional time that the paper itself
schedules with; 12 layers; the schedule runs on the true constants, the program sees noisy profiles of them.

Changed against the catalogue's sketch: layers come as arrays; the yardstick is a bound on any schedule, not a path of
one; the degree is the best of the four that are allowed, which is what the paper's rounding of a real one comes to.
Gradients beside dense layers alone, on one link, are the known program, about half the way to the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import profiled, training_step
from .simulator import Pass, iteration_ms, lower_bound_ms

Array = np.ndarray[Any, Any]
BOUNDS = ("inter", "intra", "compute")
NOISE = 0.03

STATEMENT = """
Schedule one training iteration of a mixture-of-experts network on a cluster, so that it takes little time.

The network is L blocks, each a dense layer and then a layer of experts. The forward pass of a layer of experts cuts the
tokens into chunks. Every chunk goes through D (dispatch), AG (all-gather), E (experts), RS (reduce-scatter) and C
(combine), in this order. Three streams run at the same time, each one operation after another in the order you list:
`inter` (the link between nodes), `intra` (the link within nodes) and `comp`. D and C run on `inter`, E on `comp`, AG
and RS on `intra` or on `inter`. An operation starts as soon as its stream is free and the chunk's operation before it
is done. A layer begins when the one before it has ended. The backward pass visits the blocks from last to first, in
each the layer of experts (E takes twice as long) and then the dense layer (twice `dense_ms`).

The gradient of a block exists after its whole backward pass and must be sent. Pieces `("G", MB)` can be listed on
`inter` of a backward pass; `grad_dense[i]` MB are sent while dense layer i runs backward (which lasts as long as the
longer of the two). What is left is sent at the end in one piece, while nothing else runs.

`schedule(profile, layers)` receives

- `profile[op]`, float64 (8, 2): rows [work, measured ms] for the operations a2a (of D and C), ag, rs, exp (of E) and
  gar (of gradients, in MB). True times are alpha + beta * work, measured with 3 % noise;
- `layers`, arrays (L,): work of the whole operation, `a2a`, `ag`, `rs`, `exp`; `grad` in MB; `dense_ms`. A chunk with
  the share s of the tokens takes alpha + beta * s * work.

Return `{"fwd": [...], "bwd": [...], "grad_dense": array (L,)}` with one entry a block in `fwd` and `bwd`:
`{"chunks": shares (r,), "inter": [...], "intra": [...], "comp": [...]}`, 1 <= r <= 8, shares non-negative with sum 1,
and operations as pairs ("D", chunk number).

**Measured.** Simulated time of the iteration, with the true alpha and beta, over a lower bound; geometric mean over the
networks, smaller is better. In each kind of network another stream has the most work.

**Rules.** Every operation of every chunk is listed once. At most 16 pieces in a layer. A piece that is sent before its
bytes exist, and orders that wait for each other, are invalid.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    count, copies = {"smoke": (4, 1), "default": (12, 2), "gpu": (48, 4)}[size]
    made = []
    for bound in BOUNDS:
        for copy in range(copies):
            layers, costs = training_step(rng, bound, count)
            inputs = {"profile": profiled(rng, costs, NOISE), "layers": layers}
            made.append(Instance(f"{bound} of draw {copy}", inputs, costs))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    layers, costs = instance.inputs["layers"], instance.secret
    count = len(layers["grad"])
    if not isinstance(output, dict) or output.keys() != {"fwd", "bwd", "grad_dense"}:
        return Verdict.invalid("the schedule must be a dict with the keys fwd, bwd and grad_dense")
    forward, backward = (_passes(output[name], name, count) for name in ("fwd", "bwd"))
    beside = as_array(output["grad_dense"], shape=(count,), name="grad_dense", low=0.0)
    time, hidden = iteration_ms(forward, backward, beside, layers, costs)
    return Verdict(
        valid=True,
        metrics={
            "slowdown": time / lower_bound_ms(layers, costs),
            "degree": float(np.mean([len(plan.shares) for plan in (*forward, *backward)])),
            "hidden_gradients": hidden,
        },
    )


def _passes(plans: Any, name: str, count: int) -> list[Pass]:
    if not isinstance(plans, list | tuple) or len(plans) != count:
        raise Rejected(f"{name} must be a list with one entry for each of the {count} blocks")
    return [Pass(plan, pieces_allowed=name == "bwd", name=f"{name}[{i}]") for i, plan in enumerate(plans)]


task = Task(
    id="fsmoe_schedule",
    family="mixture_of_experts",
    title="Overlapping the streams of expert layers",
    paper=Paper("FSMoE: A Flexible and Scalable Training System for Sparse Mixture-of-Experts Models", 2025),
    entry=Entry("def schedule(profile: dict, layers: dict) -> dict"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("slowdown", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("degree", 1.0, 8.0, bins=7, scale="log"),
        Descriptor("hidden_gradients", 0.0, 1.0, bins=6),
        Descriptor("code_size", 150, 1500, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=1.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy", "scipy.optimize")
    ),
    claim=(
        "Three streams at once, a degree for each layer and cut gradients are 1.18 to 1.22 times as fast as Tutel; "
        "measured here is the simulated time of an iteration."
    ),
)
