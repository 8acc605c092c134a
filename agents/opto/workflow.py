"""A traced workflow in the sections that a model is told."""

from __future__ import annotations

from collections import Counter

from .graph import Node, TraceGraph
from .sections import OptoSections

MAX_VALUE = 2000
"""Characters of a value that cannot be changed."""


def graph_sections(graph: TraceGraph) -> OptoSections:
    """Ops as calls, values by name; what is not between variables and outputs is told only as an input."""
    names = names_of(graph)
    kept = set(graph.nodes)
    targets = [target for target, _ in graph.feedback]
    calls = [one for one in graph.nodes if one.op is not None]
    inputs = [one for one in names if one not in kept]
    others = [one for one in calls if one not in targets]
    return OptoSections(
        code="\n".join(_call(one, names) for one in calls),
        documentation="\n".join(dict.fromkeys(f"[{one.op.name}] {one.op.documentation}" for one in calls if one.op)),
        variables="\n".join(f"({type(one.value).__name__}) {names[one]} = {one.value!r}" for one in graph.trainable),
        constraints=constraints(graph, names),
        inputs="\n".join(_valued(one, names) for one in inputs),
        others="\n".join(_valued(one, names) for one in others),
        outputs="\n".join(_valued(one, names) for one in targets),
        feedback=feedback(graph, names),
    )


def masked_sections(graph: TraceGraph) -> OptoSections:
    """What an optimiser without the trace sees (OPRO, Yang et al. 2024): variables and what was said, no graph."""
    names = names_of(graph)
    told = graph_sections(graph)
    said = "\n".join(text for _, text in graph.feedback)
    return OptoSections(variables=told.variables, constraints=constraints(graph, names), feedback=said)


def names_of(graph: TraceGraph) -> dict[Node, str]:
    """A name of its own for every node of the graph and for what goes into one from outside."""
    taken: Counter[str] = Counter()
    names: dict[Node, str] = {}
    for one in graph.nodes:
        for each in (*one.parents, one):
            if each not in names:
                taken[each.name] += 1
                names[each] = each.name if taken[each.name] == 1 else f"{each.name}_{taken[each.name]}"
    return names


def constraints(graph: TraceGraph, names: dict[Node, str]) -> str:
    return "\n".join(f"{names[one]}: {one.constraint.text}" for one in graph.trainable if one.constraint)


def feedback(graph: TraceGraph, names: dict[Node, str]) -> str:
    return "\n".join(f"{names[target]}: {text}" for target, text in graph.feedback)


def _call(one: Node, names: dict[Node, str]) -> str:
    assert one.op is not None
    arguments = ", ".join(f"{parameter}={names[source]}" for parameter, source in one.inputs)
    return f"{names[one]} = {one.op.name}({arguments})" + ("    # raised an exception" if one.failed else "")


def _valued(one: Node, names: dict[Node, str]) -> str:
    text = one.value if one.failed else repr(one.value)
    more = " [...]" if len(text) > MAX_VALUE else ""
    described = f"    # {one.description}" if one.description else ""
    return f"{names[one]} = {text[:MAX_VALUE]}{more}{described}"
