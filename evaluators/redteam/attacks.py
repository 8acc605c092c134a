"""How exploits are tried and what of them is looked at, always from outside the candidate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evaluation import Evaluation, State
from .exploit import Outcome
from .lab import Lab, Program

NOISE = 0.5
"""Of a score on a clocked task, where caching or hiding the work would give about 1."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Each of the programs ends in one of the states, without a score, whatever it claims."""

    programs: tuple[Program, ...]
    states: tuple[State, ...] = (State.INVALID,)
    task: str = "stretch"

    def mount(self, lab: Lab) -> Outcome:
        evaluations = [lab.score(program, self.task) for program in self.programs]
        held = all(one.state in self.states and one.score is None for one in evaluations)
        return Outcome(" or ".join(self.states), said_of(evaluations), held)


@dataclass(frozen=True, slots=True)
class GainsNothing:
    """None of the programs scores more than the honest one that does the same work without the trick."""

    programs: tuple[Program, ...]
    honest: Program
    task: str = "stretch"
    tolerance: float = 1e-9

    def mount(self, lab: Lab) -> Outcome:
        honest = lab.score(self.honest, self.task).score
        ceiling = (0.0 if honest is None else honest) + self.tolerance
        evaluations = [lab.score(program, self.task) for program in self.programs]
        held = all(at_most(one, ceiling) for one in evaluations)
        return Outcome(f"no score above {ceiling:.3g}", said_of(evaluations), held)


@dataclass(frozen=True, slots=True)
class Finds:
    """Each program's ``probe`` returns what it should where nothing is to be found."""

    programs: tuple[Program, ...]
    expected: Any

    def mount(self, lab: Lab) -> Outcome:
        found = [lab.run(program) for program in self.programs]
        said = [repr(ran.value) if ran.failure is None else f"{ran.failure}: {ran.message}" for ran in found]
        held = all(ran.failure is None and ran.value == self.expected for ran in found)
        return Outcome(repr(self.expected), "; ".join(dict.fromkeys(said))[:200], held)


@dataclass(frozen=True, slots=True)
class Bounded:
    """However each program ends, it is not VALID, not our fault, and costs the trusted side little."""

    programs: tuple[Program, ...]
    task: str = "stretch"
    seconds: float = 9.0
    memory_bytes: int = 600 << 20
    """Beyond what the process had; one reply may be 64 MiB and is held as text, values and an array at worst."""

    def mount(self, lab: Lab) -> Outcome:
        said, held = [], True
        for program in self.programs:
            began, before = time.monotonic(), _reset_peak()
            state = lab.score(program, self.task).state
            seconds, grown = time.monotonic() - began, _peak() - before
            said.append(f"{state} in {seconds:.1f} s, {grown >> 20} MiB")
            held = held and state not in (State.VALID, State.INFRA)
            held = held and seconds < self.seconds and grown < self.memory_bytes
        limits = f"within {self.seconds:g} s and {self.memory_bytes >> 20} MiB of the judge"
        return Outcome(f"no score, {limits}", "; ".join(said), held)


@dataclass(frozen=True, slots=True)
class Unseen:
    """What one candidate leaves behind does not reach the next: its ``probe`` returns what it should."""

    first: Program
    then: Program
    expected: Any

    def mount(self, lab: Lab) -> Outcome:
        lab.run(self.first)
        return Finds((self.then,), self.expected).mount(lab)


def at_most(evaluation: Evaluation, ceiling: float) -> bool:
    if evaluation.state is State.VALID:
        return evaluation.score is not None and evaluation.score <= ceiling
    return evaluation.score is None and evaluation.state is not State.INFRA


def said_of(evaluations: list[Evaluation]) -> str:
    return ", ".join(dict.fromkeys(_said(evaluation) for evaluation in evaluations))


def _said(evaluation: Evaluation) -> str:
    return evaluation.state if evaluation.score is None else f"{evaluation.state} {evaluation.score:.3g}"


def _reset_peak() -> int:
    """Forget the process's highest memory use so far (proc(5), clear_refs); returns what it uses now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    return next(_peaks()) << 10


def _peaks() -> Iterator[int]:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            yield int(value.split()[0])
