"""Hierarchies of communities, from the leaves up (Dreveton, Kuroda, Grossglauser and Thiran 2023).

Where communities are alike near the root of the hierarchy and dense at its leaves, first finding the leaves and then
merging them recovers the upper levels, while splitting from the top loses nodes for good.

Scaled down: graphs of 480 nodes with 8 leaves, and of 640 with 16; mean degrees are those of larger sparse graphs.

Changed against the catalogue's sketch: the graphs are smaller at the same mean degrees; exact recovery and inversions
of the dendrogram are not reported. As the row says, the claim is on this regime: where the top of the tree is well
separated and its leaves are not, splitting from the top wins.
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
from ..workloads import adjusted_mutual_information, tree_blocks

Array = np.ndarray[Any, Any]
# Mean degrees that a node would have at each density if it held for all nodes, from the root's to the leaves'.
DEGREES: dict[str, tuple[float, ...]] = {
    "close top": (16.0, 17.6, 24.0, 112.0),
    "denser": (40.0, 43.2, 49.6, 176.0),
    "close middle": (32.0, 36.8, 41.6, 160.0),
    "unbalanced": (24.0, 27.0, 36.0, 150.0),
    "deep": (28.8, 31.7, 35.5, 40.3, 336.0),
}

STATEMENT = """
Find the hierarchy of communities in a graph.

`tree(A, depth, seed)` receives `A` int8 (n, n): the adjacency matrix of an undirected graph, 0 and 1, without loops, in
random order of the nodes; `depth`, the levels of a binary tree whose 2^depth leaves are communities; and an integer
`seed` for the program's own random choices. Two nodes are linked with a hidden probability that depends only on how
deep in the tree their communities part, and grows with that depth.

Return labels, integers (n, depth): column l - 1 holds the community of each node at level l, of which there are at most
2^l. Levels are nested: nodes of one community at a level are in one community at every level above. The numbers given
to communities do not matter; they lie between 0 and n - 1.

**Measured.** Adjusted mutual information of each level with the true one, mean over the levels of a graph and over the
graphs; 1 is perfect, more is better. The graphs have 480 or 640 nodes and `depth` 3 or 4; the levels differ little in
density but for the leaves, whose sizes are equal or between 1 and 3 times the smallest.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    copies, nodes = {"smoke": (1, 60), "default": (2, 60), "gpu": (2, 2000)}[size]
    kinds = {"small": (24.0, 27.0, 80.0)} if size == "smoke" else DEGREES
    made = []
    for name, degrees in kinds.items():
        leaf = nodes * 2 // 3 if name == "deep" else nodes
        leaves = 2 ** (len(degrees) - 1)
        for copy in range(copies):
            weight = rng.uniform(1.0, 3.0, leaves) if name == "unbalanced" else np.ones(leaves)
            sizes = np.round(leaf * leaves * weight / weight.sum()).astype(int)
            n = int(sizes.sum())
            A, labels = tree_blocks(rng, sizes, tuple(min(degree / n, 0.9) for degree in degrees))
            inputs = {"A": A, "depth": len(degrees) - 1, "seed": int(rng.integers(2**31))}
            made.append(Instance(f"{name} of draw {copy}", inputs, labels))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    leaves, depth = instance.secret, instance.inputs["depth"]
    n = len(leaves)
    labels = as_array(output, shape=(n, depth), name="the labels", integer=True, low=0, high=n - 1)
    counts = [len(np.unique(column)) for column in labels.T]
    for level, count in enumerate(counts, 1):
        if not count <= 2**level:
            return Verdict.invalid(f"level {level} has {count} communities, more than {2**level}")
        if level > 1 and len(np.unique(labels[:, level - 2 : level], axis=0)) != count:
            return Verdict.invalid(f"level {level} does not refine the level above")
    agreement = [
        adjusted_mutual_information(column, leaves >> (depth - level)) for level, column in enumerate(labels.T, 1)
    ]
    return Verdict(
        valid=True,
        metrics={"agreement": float(np.mean(agreement)), "top": agreement[0], "leaves": agreement[-1]},
    )


task = Task(
    id="hsbm_bottom_up",
    family="clustering",
    title="Hierarchies of communities",
    paper=Paper("When Does Bottom-up Beat Top-down in Hierarchical Community Detection?", 2023),
    entry=Entry("def tree(A: np.ndarray, depth: int, seed: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("agreement", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("top", 0.0, 1.0, bins=8),
        Descriptor("leaves", 0.0, 1.0, bins=8),
        Descriptor("code_size", 80, 800, bins=8, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Bottom-up recovers intermediate levels down to the information-theoretic threshold, where top-down does not; "
        "measured here is agreement over all levels."
    ),
)
