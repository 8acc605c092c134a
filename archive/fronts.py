"""Fronts: programs that nothing else beats in every respect."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..evaluators import Evaluation


@dataclass(slots=True)
class InstanceFront:
    """The programs that are best on at least one instance (GEPA, Agrawal et al. 2025)."""

    _best: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    """By instance: the highest gain and all programs that reach it."""

    def add(self, program: str, evaluation: Evaluation) -> None:
        """``evaluation`` is VALID; instances without a finite gain are passed over. A program may be added again."""
        for result in evaluation.instances:
            if result.gain is None or not math.isfinite(result.gain):
                continue
            best = self._best.get(result.name)
            if best is None or result.gain > best[0]:
                self._best[result.name] = (result.gain, [program])
            elif result.gain == best[0] and program not in best[1]:
                best[1].append(program)

    def wins(self) -> Counter[str]:
        """On how many instances each program of the front is best, ties included."""
        return Counter(program for _, programs in self._best.values() for program in programs)


def pareto(points: Mapping[str, Sequence[float]]) -> list[str]:
    """The names whose points no other dominates, in their order; more is better on every axis, equals all stay."""

    def dominated(point: Sequence[float]) -> bool:
        return any(
            other != point and all(a >= b for a, b in zip(other, point, strict=True)) for other in points.values()
        )

    return [name for name, point in points.items() if not dominated(point)]
