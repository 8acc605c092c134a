"""Workflows as graphs that record themselves while ordinary Python runs (Trace, Cheng et al. 2024).

A ``node`` holds a value; a function under ``bundle`` takes nodes and gives a node that remembers how it came about. The
graph is that of the calls that were made: another branch taken gives another graph. ``backward`` takes feedback on a
node back to the trainable nodes that it follows from, each with the part of the graph in between.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .subgraph import minimal


@dataclass(frozen=True, slots=True)
class Constraint:
    """``text`` is told to models, ``holds`` decides."""

    text: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Op:
    """A bundled function, as models are told of it."""

    name: str
    documentation: str
    source: str


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A value with its history; equal only to itself. Made by ``node`` and by bundled functions."""

    value: Any
    name: str
    description: str = ""
    trainable: bool = False
    constraint: Constraint | None = None
    op: Op | None = None
    inputs: tuple[tuple[str, Node], ...] = ()
    """(parameter of the op, node)"""
    failed: bool = False
    """Whether the op raised; ``value`` is then what the exception said."""

    @property
    def parents(self) -> tuple[Node, ...]:
        return tuple(dict.fromkeys(source for _, source in self.inputs))


class OpFailed(Exception):
    """A bundled function raised; feedback can start at ``node``, which says so."""

    def __init__(self, node: Node) -> None:
        super().__init__(str(node.value))
        self.node = node


def node(
    value: Any,
    name: str,
    *,
    trainable: bool = False,
    constraint: Constraint | None = None,
    description: str = "",
) -> Node:
    """A value at the beginning of a workflow. A node goes through as it is."""
    if isinstance(value, Node):
        return value
    return Node(value, name, description, trainable, constraint)


def bundle(function: Callable[..., Any]) -> Callable[..., Node]:
    """The function on values as an op on nodes; arguments may be nodes, or lists, tuples and dicts that hold some.

    Its docstring tells models what it does, else its source. The op raises OpFailed for whatever the function raises.
    """
    signature = inspect.signature(function)
    op = _op(function)

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Node:
        given = signature.bind(*args, **kwargs).arguments
        inputs = tuple((name, source) for name, value in given.items() for source in _nodes(value, name))
        try:
            value = function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise OpFailed(Node(said, op.name, op=op, inputs=inputs, failed=True)) from error
        return Node(value, op.name, op=op, inputs=inputs)

    return recorded


def _op(function: Callable[..., Any]) -> Op:
    try:
        source = inspect.cleandoc(inspect.getsource(function))
    except (OSError, TypeError):
        source = ""
    return Op(function.__name__, inspect.getdoc(function) or source, source)


def _nodes(value: Any, name: str) -> Iterator[Node]:
    """The nodes in an argument; a plain one becomes a node of its own."""
    if isinstance(value, Node):
        yield value
    elif not _holds_nodes(value):
        yield Node(value, name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nodes(item, f"{name}_{key}")
    else:
        for index, item in enumerate(value):
            yield from _nodes(item, f"{name}_{index}")


def _holds_nodes(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(isinstance(item, Node) or _holds_nodes(item) for item in items)


def _plain(value: Any) -> Any:
    if isinstance(value, Node):
        return value.value
    if not _holds_nodes(value):
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return type(value)(map(_plain, value))


@dataclass(frozen=True, slots=True)
class TraceGraph:
    """Part of a workflow, in topological order, with what was said of its outputs (each node once, each word once)."""

    nodes: tuple[Node, ...]
    feedback: tuple[tuple[Node, str], ...]

    @property
    def trainable(self) -> tuple[Node, ...]:
        return tuple(one for one in self.nodes if one.trainable)


def backward(output: Node, feedback: str | float) -> dict[Node, TraceGraph]:
    """For each trainable node that ``output`` follows from: the nodes in between, both ends among them."""
    order = topological([output])
    graphs = {}
    for one in order:
        if one.trainable:
            kept = minimal([output], functools.partial(operator.is_, one), lambda inner: inner.parents)
            graphs[one] = TraceGraph(tuple(inner for inner in order if inner in kept), ((output, str(feedback)),))
    return graphs


def merged(graphs: Iterable[TraceGraph]) -> TraceGraph:
    """The union of several graphs of one workflow, by the identity of nodes."""
    several = list(graphs)
    kept = {one for graph in several for one in graph.nodes}
    feedback = dict.fromkeys(said for graph in several for said in graph.feedback)
    order = topological([target for target, _ in feedback])
    return TraceGraph(tuple(one for one in order if one in kept), tuple(feedback))


def topological(targets: Iterable[Node]) -> list[Node]:
    """The targets and all that they follow from, each after its parents."""
    done: dict[Node, None] = {}
    waiting = [(target, False) for target in reversed(list(dict.fromkeys(targets)))]
    while waiting:
        one, ready = waiting.pop()
        if one in done:
            continue
        if ready:
            done[one] = None
        else:
            waiting.append((one, True))
            waiting += [(parent, False) for parent in reversed(one.parents)]
    return list(done)
