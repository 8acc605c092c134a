"""A challenger and an elite, timed together before one displaces the other (R49)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .assembly import Assembly
from .evaluation import Evaluation, InstanceResult, Interval, Record, State
from .scoring import CONFIDENCE, median_interval
from .timing import Comparison, clocked_score, hopeless

DUEL_CONFIDENCE = 0.9
"""Two-sided, so that a program no faster than the elite is found ahead of it in at most 5 % of the duels."""


POOLED = 64
"""Of an elite's values at most the last so many count."""


class Duel(Record):
    """Both programs as measured together on fresh instances; ``ahead`` is the challenger's gain over the elite's.

    Where the challenger has won, the evaluations are from further instances that had no part in that. ``ahead`` is
    missing where one of the two was not VALID on an instance.
    """

    challenger: Evaluation
    elite: Evaluation
    ahead: Interval | None

    @property
    def won(self) -> bool:
        """Whether the challenger is shown to be ahead."""
        return self.ahead is not None and self.ahead.low > 0


def decide(
    assembly: Assembly,
    comparisons: Iterable[Comparison],
    challenger: Mapping[str, str],
    elite: Mapping[str, str],
    size: str,
) -> Duel:
    """Runs until all is measured, a program fails, or the challenger is hopelessly behind the elite."""
    sides: tuple[list[InstanceResult], list[InstanceResult]] = ([], [])
    ahead: list[float] = []
    for one in comparisons:
        for side, trial, gained in zip(sides, one.trials, one.gains, strict=True):
            side.append(assembly.result(one.instance, trial, gained, baseline=one.baseline))
        gains = [side[-1].gain for side in sides]
        if gains[0] is None or gains[1] is None:
            break
        ahead.append(gains[0] - gains[1])
        if hopeless(ahead):
            break
    mine, theirs = (
        assembly.evaluation(side, size, files) for side, files in zip(sides, (challenger, elite), strict=True)
    )
    both = mine.state is theirs.state is State.VALID
    return Duel(
        challenger=mine,
        elite=theirs,
        ahead=median_interval(ahead, DUEL_CONFIDENCE) if both and ahead else None,
    )


def pooled(before: Evaluation, fresh: Evaluation, reference_gain: float) -> Evaluation:
    """An elite's evaluation after a duel: its values so far and the new ones together, where both are VALID.

    An elite with a lucky score is rarely challenged. If the last measurement alone counted, an elite would be timed
    again and again until it is lucky, and then keep that score; the median of many has less luck to offer.
    """
    if fresh.state is not State.VALID or before.state is not State.VALID:
        return fresh
    instances = (*before.instances, *fresh.instances)[-POOLED:]
    gains = [result.gain for result in instances if result.gain is not None]
    number, interval = clocked_score(gains, reference_gain, CONFIDENCE)
    return fresh.model_copy(update={"instances": instances, "score": number, "interval": interval})
