"""What is looked at again when a program has been evaluated."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ..archive import Remeasured, RunState
from ..archive.events import Refuted
from ..evaluators import Evaluation
from ..evaluators.evaluator import REFUTED
from .flight import Landed
from .jobs import Job, Refute, TimeTogether

T = TypeVar("T")

MOST_COUNTEREXAMPLES = 8
"""Each is one more run of every program."""

FEWEST_SOUND, MOST_SOUND = 3, 8
"""Good programs that must pass a counterexample before it stops others, and of how many that is asked."""

PATIENCE = 10
"""Searches in a row that find nothing, after which the task is taken to have no small counterexamples."""


class Do(Protocol):
    """Has a job done by an executor."""

    async def __call__(self, job: Job[T]) -> T: ...


async def rematch(state: RunState, do: Do, landed: Landed) -> Remeasured | None:
    """Time a program again, together with the elite that it would displace without being clearly better."""
    proposed, first = landed.proposed, landed.evaluation
    elite = state.rival(proposed.island, proposed.program, first)
    if elite is None:
        return None
    rival = state.program(elite)
    duel = await do(TimeTogether(proposed.files, rival.files, f"{proposed.program}:{elite}"))
    return None if duel is None else Remeasured(index=proposed.index, first=first, elite=elite, duel=duel)


async def refuted(state: RunState, do: Do, landed: Landed, evaluation: Evaluation) -> list[Refuted]:
    """The search for a counterexample to a program that failed its evaluation though it passed the smoke instances.

    It must let pass the baseline and the best programs of the run, and stops others only where there are several.
    """
    known = evaluation.size == "smoke" or bool(evaluation.missed)
    if known or evaluation.state not in REFUTED or _enough(state):
        return []
    sound = dict.fromkeys((state.baseline, *state.ranking(MOST_SOUND)))
    found = await do(Refute(landed.proposed.files, [state.program(name).files for name in sound]))
    gates = found is not None and len(sound) >= FEWEST_SOUND
    return [Refuted(index=landed.proposed.index, program=landed.proposed.program, evaluation=found, gates=gates)]


def _enough(state: RunState) -> bool:
    latest = list(state.refutations.values())[-PATIENCE:]
    return len(state.counterexamples) >= MOST_COUNTEREXAMPLES or (len(latest) == PATIENCE and not any(latest))
