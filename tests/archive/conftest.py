"""Small runs made of events, without sandbox or task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from speciate.archive import (
    Added,
    ArchiveSettings,
    Dropped,
    Evaluated,
    Event,
    Program,
    Proposed,
    RunStarted,
    RunState,
    moved,
)
from speciate.evaluators import Descriptor, Evaluation, Interval, State

AXES = (Descriptor("size", 0.0, 10.0, bins=5), Descriptor("cost", 1e-2, 1e2, bins=4, scale="log"))

Outcome = tuple[State, float | None, float, float]
"""State, score, the two descriptors."""


class Scripted:
    """What the conductor would make of a list of outcomes."""

    @staticmethod
    def evaluation(outcome: Outcome) -> Evaluation:
        state, score, size, cost = outcome
        interval = None if score is None else Interval(low=score - 0.1, high=score + 0.1)
        return Evaluation(
            state=state, size="default", score=score, interval=interval, descriptors={"size": size, "cost": cost}
        )

    @staticmethod
    def started(islands: int = 2, interval: int = 3, **others: Any) -> RunStarted:
        settings = ArchiveSettings.of(AXES, islands=islands, migration_interval=interval, **others)
        return RunStarted(
            task="t", task_path="/t", task_digest="d", config={}, archive=settings, seed=0, secret="00", version="0"
        )

    @staticmethod
    def proposed(index: int, island: int = 0, parents: Sequence[str] = ()) -> Proposed:
        program = Program.of(f"def solve(x):\n    return x + {index}\n")
        return Proposed(
            index=index,
            island=island,
            files=dict(program.files),
            program=program.id,
            parents=tuple(parents),
            operator="mutate" if index else "seed",
            proposer="scripted",
        )

    @staticmethod
    def conduct(
        outcomes: Sequence[Outcome | None], islands: int = 2, interval: int = 3, **others: Any
    ) -> Iterator[tuple[Event, RunState]]:
        """The events of a run as the conductor makes them, each with the live state after it; None is a drop."""
        state = RunState()

        def record(event: Event) -> tuple[Event, RunState]:
            state.apply(event)
            return event, state

        yield record(Scripted.started(islands, interval, **others))
        for index, outcome in enumerate(outcomes):
            if outcome is None:
                yield record(Dropped(index=index, island=index % islands, reason="duplicate", tokens=5))
                continue
            parents = list(state.proposals)[-1:]
            yield record(Scripted.proposed(index, index % len(state.archipelago.islands), parents))
            evaluated = Evaluated(index=index, evaluation=Scripted.evaluation(outcome))
            answers = state.apply(evaluated)
            yield evaluated, state
            for island, answer in answers:
                yield record(
                    Added(
                        index=index,
                        island=island,
                        status=answer.status,
                        improvement=answer.improvement,
                        reason=answer.reason,
                        displaced=answer.displaced,
                    )
                )
            for move in state.archipelago.due():
                yield record(moved(index, move))

    @staticmethod
    def events(*args: Any, **kwargs: Any) -> list[Event]:
        return [event for event, _ in Scripted.conduct(*args, **kwargs)]


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    return Scripted
