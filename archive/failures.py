"""What went wrong in a run, and how often: replies, proposals, programs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from ..evaluators import Evaluation, State
from ..sandbox.text import bounded_text
from .events import Dropped, Evaluated, Event, Proposed, Replied

Stage = Literal["call to a model", "reply", "proposal", "smoke instances", "evaluation"]

MAX_KIND = 100
MAX_EXAMPLE = 200

_PLACE = re.compile(r"^\S+\.py(?: line \d+:? ?| has (?=a syntax error))|(?<=syntax error) in line \d+")
_ID = re.compile(r"\b[0-9a-f]{12,}\b")
_QUOTED = re.compile(r"'[^']*'")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class Failure:
    """One kind of it; ``example`` is the latest, in its own words, and ``program`` where there is one."""

    stage: Stage
    kind: str
    count: int = 0
    example: str = ""
    program: str = ""


@dataclass
class Failures:
    """A fold over events; those of the same stage and kind are one."""

    _found: dict[tuple[Stage, str], Failure] = field(default_factory=dict)

    def apply(self, event: Event, program: str = "") -> None:
        """``program`` is what an evaluation is of."""
        match event:
            case Replied():
                self._reply(event)
            case Proposed():
                self._faults(event.faults)
            case Dropped():
                self._faults(event.faults)
                self._note("proposal", _kind(event.reason), event.reason)
            case Evaluated() if event.evaluation.state is not State.VALID:
                self._evaluation(event.evaluation, program)

    def rows(self) -> list[Failure]:
        """In the order of the stages, the commonest first."""
        stages = Stage.__args__
        return sorted(self._found.values(), key=lambda one: (stages.index(one.stage), -one.count, one.kind))

    def _reply(self, event: Replied) -> None:
        if event.finish == "broken":
            self._note("call to a model", f"broken and paid for: {_kind(event.error)}", event.error)
        elif event.tries > 1:
            self._note("call to a model", "answered at a later try", f"{event.tries} tries, {event.seconds:.3g} s")
        if event.finish == "filtered":
            self._note("reply", "refused by the model", event.text)

    def _faults(self, faults: tuple[str, ...]) -> None:
        for fault in faults:
            self._note("reply", _kind(fault), fault)

    def _evaluation(self, evaluation: Evaluation, program: str) -> None:
        failed = [one for one in evaluation.instances if one.state is not State.VALID]
        said = failed[-1].note if failed else evaluation.feedback
        kind = f"{evaluation.state.value} ({_kind(said)})" if said else evaluation.state.value
        self._note("smoke instances" if evaluation.size == "smoke" else "evaluation", kind, said, program)

    def _note(self, stage: Stage, kind: str, example: str, program: str = "") -> None:
        one = self._found.setdefault((stage, kind), Failure(stage, kind))
        one.count += 1
        one.example, one.program = _line(example, MAX_EXAMPLE), program


def _kind(text: str) -> str:
    """What messages that differ in names, numbers and places only have in common."""
    text = _PLACE.sub("", _line(text, MAX_EXAMPLE))
    text = _NUMBER.sub("N", _QUOTED.sub("'...'", _ID.sub("another", text)))
    return re.split(r"[:;,](?: |$)", text)[0][:MAX_KIND].strip()


def _line(text: str, most: int) -> str:
    return " ".join(bounded_text(text).split())[:most]
