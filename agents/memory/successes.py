"""Few-shot memory: changes that are known to have helped, to be shown as examples."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ...archive import RunState
from ...sandbox.text import bounded_text
from .steps import Step, step

LEADERS, STEPS = 10, 50
"""The best programs of the run, and the last steps of the way to each, that are searched."""
MAX_DIFF = 2000


@dataclass(frozen=True, slots=True)
class Success:
    """A step whose gain is sure, with its text as a unified diff."""

    step: Step
    diff: str

    @property
    def title(self) -> str:
        said = f': "{self.step.rationale}"' if self.step.rationale else ""
        return f"{self.step.change}, {self.step.gain:+.3g} in score{said}"


def successes(state: RunState, program: str, count: int) -> tuple[Success, ...]:
    """Up to ``count`` examples for one who will change ``program``, the largest gains first, each of another kind.

    Both scores were measured on the full instances, and their intervals lie apart. Steps that the program has behind
    it are left out. A pure function of the state.
    """
    behind = set(state.lineage(program))
    ways = {name for leader in state.ranking(LEADERS) for name in state.lineage(leader)[:STEPS]} - behind
    known = [one for name in ways if (one := step(state, name)) and one.sure and one.gain is not None]
    ranked = sorted(known, key=lambda one: (-(one.gain or 0.0), one.program))
    first_of_kind = {(one.change, one.rationale): one for one in reversed(ranked)}
    chosen = [one for one in ranked if first_of_kind[one.change, one.rationale] is one]
    return tuple(Success(one, _diff(state, one)) for one in chosen[:count])


def _diff(state: RunState, one: Step) -> str:
    before, after = state.program(one.parent).source, state.program(one.program).source
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=2, lineterm="")
    text = "\n".join(list(lines)[2:])
    return bounded_text(text, MAX_DIFF) + ("\n[...]" if len(text) > MAX_DIFF else "")
