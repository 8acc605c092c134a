"""Our graphs are those of trace-opt, the paper's own implementation, and of autograd.

``pip install 'speciate[crosscheck]'`` installs trace-opt; without it its half is skipped.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from speciate.agents.opto.graph import Node, backward, bundle, node, topological


def add(a: Any, b: Any) -> Any:
    return a + b


def mul(a: Any, b: Any) -> Any:
    return a * b


def half(a: Any) -> Any:
    return a / 2


def square(a: Any) -> Any:
    return a * a


OPS: dict[str, Callable[..., Any]] = {"add": add, "mul": mul, "half": half, "square": square}
ARITY = {"add": 2, "mul": 2, "half": 1, "square": 1}
Plan = list[tuple[str, list[int]]]


def plan(rng: np.random.Generator, roots: int, steps: int) -> Plan:
    """Each step an op on earlier values, never twice on the same one: trace-opt cannot go back from that."""
    made: Plan = []
    for size in range(roots, roots + steps):
        op = str(rng.choice(list(OPS)))
        made.append((op, rng.choice(np.arange(max(0, size - 5), size), ARITY[op], replace=False).tolist()))
    return made


def run(steps: Plan, values: list[Any], ops: dict[str, Callable[..., Any]]) -> list[Any]:
    values = list(values)
    for op, arguments in steps:
        values.append(ops[op](*(values[i] for i in arguments)))
    return values


def ours(steps: Plan, trainable: list[bool], values: list[float]) -> list[Node]:
    roots = [
        node(value, f"v{i}", trainable=free) for i, (value, free) in enumerate(zip(values, trainable, strict=True))
    ]
    return run(steps, roots, {name: bundle(function) for name, function in OPS.items()})


@pytest.mark.parametrize("seed", range(10))
def test_the_cut_is_where_autograd_finds_a_path(seed: int) -> None:
    import torch

    rng = np.random.default_rng(seed)
    steps, values = plan(rng, 5, 12), rng.uniform(0.5, 1.5, 5).tolist()
    trainable = [bool(free) for free in rng.random(5) < 0.5]
    nodes = ours(steps, trainable, values)
    tensors = [torch.tensor(value, requires_grad=free) for value, free in zip(values, trainable, strict=True)]
    whole = run(steps, tensors, OPS)
    for one in whole:
        if one.requires_grad:
            one.retain_grad()
    if whole[-1].requires_grad:
        whole[-1].backward()
    kept = {inner for graph in backward(nodes[-1], "").values() for inner in graph.nodes}
    assert {i for i, one in enumerate(nodes) if one in kept} == {
        i for i, one in enumerate(whole) if one.requires_grad and one.grad is not None
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_cut_is_that_of_trace_opt(seed: int) -> None:
    """Trace also keeps the direct inputs of the nodes on the way; we tell them apart, as ``inputs``."""
    theirs = pytest.importorskip("opto.trace")
    rng = np.random.default_rng(seed)
    steps, values = plan(rng, 5, 12), rng.uniform(0.5, 1.5, 5).tolist()
    trainable = [bool(free) for free in rng.random(5) < 0.5]
    nodes = ours(steps, trainable, values)
    graphs = backward(nodes[-1], "low")
    wrapped = {name: theirs.bundle(description=f"[{name}]")(function) for name, function in OPS.items()}
    roots = [theirs.node(value, trainable=free) for value, free in zip(values, trainable, strict=True)]
    whole = run(steps, roots, wrapped)
    whole[-1].backward("low")
    index = {id(one): number for number, one in enumerate(whole)}
    for number in [number for number, free in enumerate(trainable) if free]:
        told = [graph for several in whole[number].feedback.values() for graph in several]
        kept = {index[id(one)] for graph in told for _, one in graph.graph}
        mine = graphs[nodes[number]].nodes if nodes[number] in graphs else ()
        wider = {*mine, *(parent for one in mine for parent in one.parents)}
        assert kept == {place for place, one in enumerate(nodes) if one in wider}


def test_topological_order_of_a_deep_graph_needs_no_recursion() -> None:
    last = node(1.0, "x", trainable=True)
    for _ in range(5000):
        last = bundle(OPS["half"])(last)
    assert len(topological([last])) == 5001
