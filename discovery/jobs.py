"""What an executor is asked to do: plain data, so that it can be sent to another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..evaluators import Duel, Evaluation, Evaluator, Known, State, Trace
from ..evaluators.gate import NOTHING

Files = Mapping[str, str]
T_co = TypeVar("T_co", covariant=True)


class Job(Protocol[T_co]):
    def run(self, evaluator: Evaluator) -> T_co:
        """Raises: SandboxError where the machine fails."""
        ...

    def lost(self, why: str) -> T_co:
        """What came of it where the machine failed."""
        ...


@dataclass(frozen=True, slots=True)
class Evaluate:
    """The full evaluation of a program, if not enough of it is ``known``. A lost one is INFRA."""

    files: Files
    program: str
    known: Known = NOTHING

    def run(self, evaluator: Evaluator) -> Evaluation:
        return evaluator.evaluate(self.files, self.program, known=self.known)

    def lost(self, why: str) -> Evaluation:
        return Evaluation(state=State.INFRA, size="default", feedback=why)


@dataclass(frozen=True, slots=True)
class TakeTrace:
    """What an evaluated program does on a smoke instance."""

    files: Files
    evaluation: Evaluation

    def run(self, evaluator: Evaluator) -> Trace | None:
        return evaluator.trace(self.files, self.evaluation)

    def lost(self, why: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class TimeTogether:
    """Two programs of a clocked task, timed together."""

    challenger: Files
    elite: Files
    name: str

    def run(self, evaluator: Evaluator) -> Duel | None:
        return evaluator.duel(self.challenger, self.elite, self.name)

    def lost(self, why: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Smoke:
    """What goes wrong on the smoke instances and on ``counterexamples``; None for a program that passes."""

    files: Files
    counterexamples: tuple[str, ...] = ()

    def run(self, evaluator: Evaluator) -> Evaluation | None:
        return evaluator.smoke(self.files, self.counterexamples)

    def lost(self, why: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Refute:
    """What goes wrong on a further smoke instance, with which the ``sound`` programs do well; None: none found."""

    files: Files
    sound: Sequence[Files]

    def run(self, evaluator: Evaluator) -> Evaluation | None:
        return evaluator.counterexample(self.files, self.sound)

    def lost(self, why: str) -> None:
        return None
