"""Serving a mixture of experts whose experts do not fit on the device (He et al. 2024, ExpertFlow).

A predictor tells the experts of a token before it is run; tokens of like paths share a batch, and predicted experts are
fetched while the layers before them compute.

Scaled down: a linear predictor and a simulator of one link and one compute stream take the place of a transformer and
of a real device; one expert a token and layer; 512 tokens, 6 layers of 16 experts.

Changed against the catalogue's sketch: experts differ in popularity, topics in size; the predictor is not conditioned
on the layer before; the yardstick is the makespan of the order of arrival with all experts resident, the same for every
program. Batches of close embeddings without any prediction are the known program,
two thirds of the way to the reference.
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
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array, permutation
from ....sandbox import MIB, Limits
from ..workloads import routed_tokens
from .simulator import all_resident, serve

Array = np.ndarray[Any, Any]
KINDS = {"small cache": (4, 1.0), "medium cache": (5, 1.0), "large cache": (8, 1.0), "slow link": (6, 2.0)}

STATEMENT = """
Plan how tokens are served by a mixture of experts of which only a few experts fit on the device.

Every token visits one expert at each of L layers. Tokens are served in batches of B; a layer of a batch needs all
experts that its tokens visit. Experts come from the host over one link, `t_load` ms each, into a cache of C experts a
layer.

`plan(train_x, train_route, test_x, hw)` receives

- `train_x` float64 (N, 16): embeddings of earlier tokens, `train_route` int64 (N, L): the experts that they visited;
- `test_x` float64 (M, 16): the tokens to serve, in the order of arrival. Their experts are unknown;
- `hw`: a dict with the integers `batch` (B), `experts` (E), `cache` (C) and the times in ms `t_load`, `t_expert`,
  `t_token`.

Return `{"batches": ..., "prefetch": ...}`: int64 (M / B, B), every test token once, in the order in which the batches
run; and int64 (M / B, L, C), the experts wanted in the cache for each batch and layer, -1 for no wish, no expert twice.

**Simulation.** Layers run one after another, batch after batch. The wishes of a layer are loaded in their order, as
soon as the link is free, but not before the layer two places ahead of it has begun; they push out other experts, the
least recently used first. When a layer begins, needed experts that are absent are loaded on demand, after what the link
has to do already, and the layer waits for all that it needs. It then computes for `t_expert` times the number of needed
experts + `t_token` B. The cache keeps the C experts used last.

**Measured.** The time until the last batch is done, over the time of the order of arrival if all experts were resident;
geometric mean over the instances, smaller is better. They differ in C and `t_load`; E is 16, L is 6, B is 32.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    tokens, layers, experts, batch, copies = {
        "smoke": (128, 3, 8, 16, 1),
        "default": (512, 6, 16, 32, 2),
        "gpu": (4096, 12, 64, 64, 2),
    }[size]
    made = []
    for name, (cache, load) in KINDS.items() if size != "smoke" else list(KINDS.items())[:2]:
        for copy in range(copies):
            x, routes = routed_tokens(rng, 2 * tokens, layers, experts)
            hw = {"batch": batch, "experts": experts, "cache": cache * experts // 16 or 2, "t_load": load}
            hw |= {"t_expert": 0.35, "t_token": 0.02}
            inputs = {"train_x": x[:tokens], "train_route": routes[:tokens], "test_x": x[tokens:], "hw": hw}
            made.append(Instance(f"{name} of draw {copy}", inputs, routes[tokens:]))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    routes, hw = instance.secret, instance.inputs["hw"]
    tokens, layers = routes.shape
    count = tokens // hw["batch"]
    if not isinstance(output, dict) or output.keys() != {"batches", "prefetch"}:
        return Verdict.invalid("the plan must be a dict with the keys batches and prefetch")
    batches = as_array(output["batches"], shape=(count, hw["batch"]), name="batches", integer=True)
    permutation(batches.ravel(), length=tokens, name="batches")
    shape = (count, layers, hw["cache"])
    prefetch = as_array(output["prefetch"], shape=shape, name="prefetch", integer=True, low=-1, high=hw["experts"] - 1)
    ordered = np.sort(prefetch, axis=2)
    if not ((ordered[:, :, 1:] > ordered[:, :, :-1]) | (ordered[:, :, 1:] == -1)).all():
        return Verdict.invalid("prefetch names an expert twice in a row")
    served = serve(batches, prefetch, routes, hw)
    arrival = np.arange(tokens).reshape(count, -1)
    return Verdict(
        valid=True,
        metrics={
            "slowdown": served.makespan / all_resident(arrival, routes, hw),
            "hit_ratio": 1 - served.missed / served.activated,
            "activated": served.activated / (count * layers * hw["experts"]),
            "loads": served.loads / (count * layers * hw["experts"]),
        },
    )


task = Task(
    id="expertflow_offload",
    family="mixture_of_experts",
    title="Experts that do not fit on the device",
    paper=Paper(
        "ExpertFlow: Optimized Expert Activation and Token Allocation for Efficient Mixture-of-Experts Inference", 2024
    ),
    entry=Entry("def plan(train_x: np.ndarray, train_route: np.ndarray, test_x: np.ndarray, hw: dict) -> dict"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("slowdown", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("hit_ratio", 0.2, 1.0, bins=8),
        Descriptor("activated", 0.3, 0.9, bins=6),
        Descriptor("code_size", 50, 800, bins=8, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Predicted paths, batches of like tokens and prefetched experts are 2 to 10 times as fast as loading on "
        "demand; measured here is the simulated makespan."
    ),
)
