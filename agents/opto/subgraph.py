"""The part of a graph that feedback is about (Trace, Cheng et al. 2024): from what may change to what is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def reached(starts: Iterable[T], following: Callable[[T], Iterable[T]]) -> dict[T, None]:
    """All that can be reached from ``starts``, themselves among it, in the order of discovery."""
    found = dict.fromkeys(starts)
    waiting = list(found)
    while waiting:
        for other in following(waiting.pop()):
            if other not in found:
                found[other] = None
                waiting.append(other)
    return found


def minimal(targets: Iterable[T], trainable: Callable[[T], bool], inputs: Callable[[T], Iterable[T]]) -> set[T]:
    """The nodes from which a target follows and which follow from one that is trainable; those two among them."""
    ancestors = reached(targets, inputs)
    children: dict[T, list[T]] = {node: [] for node in ancestors}
    for node in ancestors:
        for source in inputs(node):
            children[source].append(node)
    return set(reached(filter(trainable, ancestors), children.__getitem__))
