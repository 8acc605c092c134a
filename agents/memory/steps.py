"""One change of one program, with what came of it: the unit of all that is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ...archive import RunState
from ...evaluators import Evaluation, State
from ...sandbox.text import bounded_text

MOST_KINDS = 3
MAX_WORDS = 160
"""Characters of what was said for a change, or of what a program said when it failed."""


@dataclass(frozen=True, slots=True)
class Step:
    """``program`` was made from ``parent``. ``gain`` is in score and exists where both are VALID.

    ``sure`` is whether the intervals lie apart; ``failure`` says why there is no score.
    """

    program: str
    parent: str
    change: str
    rationale: str
    state: State
    gain: float | None
    sure: bool
    failure: str

    def __str__(self) -> str:
        if self.gain is None:
            told = self.state.value + (f" ({self.failure})" if self.failure else "")
        else:
            told = f"{self.gain:+.3g}" + (" for sure" if self.sure else "")
        return f"{self.change}: {told}" + (f', "{self.rationale}"' if self.rationale else "")


def step(state: RunState, program: str) -> Step | None:
    """None for the baseline, and for what is not evaluated yet."""
    proposed = state.proposals[program]
    evaluation = state.evaluation_or_none(program)
    before = state.evaluation_or_none(proposed.parents[0]) if proposed.parents else None
    if evaluation is None or before is None:
        return None
    return Step(
        program=program,
        parent=proposed.parents[0],
        change=phrase(f"{proposed.operator} {proposed.detail}"),
        rationale=phrase(proposed.rationale),
        state=evaluation.state,
        gain=_gain(evaluation, before),
        sure=apart(evaluation, before),
        failure=failure_of(evaluation),
    )


def failure_of(evaluation: Evaluation) -> str:
    """What the instance that failed says of it, in one phrase; nothing of a program that is VALID."""
    failed = [one for one in evaluation.instances if one.state is not State.VALID]
    return phrase(failed[-1].note) if failed else ""


def _gain(after: Evaluation, before: Evaluation) -> float | None:
    return None if after.score is None or before.score is None else after.score - before.score


def apart(better: Evaluation, worse: Evaluation) -> bool:
    """Whether the whole interval of the one is above that of the other."""
    return better.interval is not None and worse.interval is not None and better.interval.low > worse.interval.high


def phrase(text: str) -> str:
    """Foreign words as the beginning of one line."""
    line = " ".join(bounded_text(text).split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 4] + " ..."


def commonest(failures: Iterable[tuple[State, str]]) -> str:
    """The kinds of failure that occur most, with how often."""
    counted = Counter(f"{state.value} ({said})" if said else state.value for state, said in failures)
    return "; ".join(f"{count} x {what}" for what, count in counted.most_common(MOST_KINDS))
