"""Placing and replicating experts on devices (Liu et al. 2024, a survey of inference optimisation for such models).

Of the survey's many levels this is one decision: which devices hold which experts, and how many copies of each, from a
history of the routing. The method is hierarchical placement: nodes by affinity, then replicas, then devices.

Scaled down: 64 experts, 5 layers, 8 to 32 devices; times are loads and traffic, not measured ones.

Changed against the catalogue's sketch: nodes are filled before replicas are made (the hierarchical policy), so that
copies stay on one node; all tokens of a layer go on to the next one. CPU time is bounded by the limit and is no second
objective. The same balancing without nodes or transitions is the known program: less traffic makes the hierarchy about
level with it on 2 and 4 nodes, on 8 nodes copies of the busiest experts must reach several, and the known one wins.
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
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import expert_flows, loads

Array = np.ndarray[Any, Any]
PAST = 30
FUTURE = 10
TOKENS = 10000.0
TRAFFIC_SHARE = 0.3

STATEMENT = """
Place the experts of a mixture-of-experts network on the devices of a cluster, with copies of some of them, for routing
that is still to come.

`place(hist, trans, nodes, devices_per_node, slots, cost)` receives

- `hist` float64 (T, L, E): the tokens of every expert in T windows of time, the latest last;
- `trans` float64 (L - 1, E, E): how many tokens of those windows went from an expert of a layer to one of the next;
- the cluster: device number d is on node d // devices_per_node and holds `slots` experts of every layer;
- `cost`: a dict with `compute` and `network`, times a token.

Return int64 (L, nodes * devices_per_node, slots): the expert in each slot. Every expert of a layer is on at least one
device, and no device holds an expert twice.

**Measured.** In each of the next 10 windows the tokens of an expert are split evenly over its copies. A layer takes
`compute` times the tokens of the busiest device + `network` times the tokens that leave the node which most tokens
leave: those whose next expert's copy lies on another node (copies are chosen evenly, without regard to nodes). The
objective is the sum over layers and windows over what perfect balance without traffic takes; geometric mean over
several clusters, smaller is better. Popularity is uneven and drifts; who follows whom is steady. E is 64, L is 5 at
full size, there are 2 to 4 spare slots a device.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    experts, layers, copies, clusters = {
        "smoke": (16, 2, 1, ((2, 2, 6),)),
        "default": (64, 5, 2, ((2, 4, 10), (4, 4, 6), (8, 4, 4))),
        "gpu": (256, 16, 2, ((4, 8, 10), (8, 8, 6))),
    }[size]
    made = []
    for nodes, devices, slots in clusters:
        for copy in range(copies):
            flows = expert_flows(rng, PAST + FUTURE, layers, experts, TOKENS)
            network = TRAFFIC_SHARE / devices / (1 - 1 / nodes)
            inputs = {
                "hist": loads(flows[:PAST]),
                "trans": flows[:PAST].sum(axis=0),
                "nodes": nodes,
                "devices_per_node": devices,
                "slots": slots,
                "cost": {"compute": 1.0, "network": network},
            }
            made.append(Instance(f"{nodes} nodes of draw {copy}", inputs, flows[PAST:]))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    inputs, flows = instance.inputs, instance.secret
    nodes, devices = inputs["nodes"], inputs["nodes"] * inputs["devices_per_node"]
    layers, experts = inputs["hist"].shape[1:]
    shape = (layers, devices, inputs["slots"])
    placement = as_array(output, shape=shape, name="the placement", integer=True, low=0, high=experts - 1)
    on_device = np.zeros((layers, devices, experts))
    np.add.at(on_device, (np.arange(layers)[:, None, None], np.arange(devices)[:, None], placement), 1.0)
    if not on_device.max() <= 1:
        return Verdict.invalid("a device holds an expert twice")
    copies = on_device.sum(axis=1)
    if not copies.min() >= 1:
        return Verdict.invalid("an expert is on no device")
    share = on_device / copies[:, None]
    busiest = np.einsum("wle,lde->wld", loads(flows), share, optimize=True).max(axis=2)
    on_node = share.reshape(layers, nodes, -1, experts).sum(axis=2)
    leaving = np.einsum("wlef,lne,lnf->wln", flows, on_node[:-1], 1 - on_node[1:], optimize=True).max(axis=2)
    ideal = FUTURE * layers * TOKENS / devices
    cost = inputs["cost"]
    return Verdict(
        valid=True,
        metrics={
            "step_time": float(cost["compute"] * busiest.sum() + cost["network"] * leaving.sum()) / ideal,
            "imbalance": float(busiest.sum()) / ideal,
            "leaving": float(leaving.sum()) * nodes / (FUTURE * (layers - 1) * TOKENS),
            "copies": float(copies.max(axis=1).mean()),
        },
    )


task = Task(
    id="moe_expert_placement",
    family="mixture_of_experts",
    title="Where experts live, and how many copies",
    paper=Paper("A Survey on Inference Optimization Techniques for Mixture of Experts Models", 2024),
    entry=Entry(
        "def place(hist: np.ndarray, trans: np.ndarray, nodes: int, devices_per_node: int, slots: int, cost: dict)"
        " -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("step_time", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("imbalance", 1.0, 3.0, bins=8, scale="log"),
        Descriptor("leaving", 0.2, 1.0, bins=6),
        Descriptor("copies", 1.0, 16.0, bins=6, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Replication and packing take most of the waiting for the busiest device away; measured here is the time of "
        "future windows, traffic between nodes included."
    ),
)
