"""What an island's evaluations teach, in a few sentences, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ...archive import RunState, Tally
from ...evaluators import State
from .steps import commonest, failure_of, phrase

RECENT = 100
"""Proposals of the island that are looked at for failures."""
TRIED = 5.0
"""Evaluations, old ones counting less, after which a kind of change is judged."""
MOST_TOLD = 3
APART = 0.1
"""Relative difference of two instances' gains that is worth a word."""


def lessons(state: RunState, island: int) -> tuple[str, ...]:
    """A pure function of the state; its cost does not grow with the run."""
    return (*_changes(state, island), *_failures(state, island), *_instances(state, island))


def _changes(state: RunState, island: int) -> Iterator[str]:
    """Which kinds of change succeed, and which do not."""
    tried = {part: tally for (_, part), tally in state.ledger.merits(island).items() if part and tally.cost >= TRIED}
    ranked = sorted(tried, key=lambda part: (-_rate(tried[part]), part))
    good = [part for part in ranked if tried[part].reward > 0][:MOST_TOLD]
    bad = sorted((part for part in ranked if tried[part].reward < 0.01), key=lambda part: -tried[part].cost)
    if good:
        rates = (f"{phrase(part)} ({100 * _rate(tried[part]):.0f} % of late tries)" for part in good)
        yield f"Changes that bring new elites here: {', '.join(rates)}."
    if bad:
        yield f"Changes tried here without success lately: {', '.join(map(phrase, bad[:MOST_TOLD]))}."


def _rate(tally: Tally) -> float:
    return tally.reward / tally.cost


def _failures(state: RunState, island: int) -> Iterator[str]:
    """How programs of late failed."""
    here = (one for one in reversed(state.proposals.values()) if one.island == island)
    late = [state.evaluation_or_none(one.program) for one in islice(here, RECENT)]
    evaluated = [one for one in late if one is not None]
    failed = [one for one in evaluated if one.state is not State.VALID]
    if failed:
        kinds = commonest((one.state, failure_of(one)) for one in failed)
        yield f"{len(failed)} of the last {len(evaluated)} programs here failed: {kinds}."


def _instances(state: RunState, island: int) -> Iterator[str]:
    """Where the island's best program is weakest, and what it changed in the judge's metrics."""
    best = state.archipelago.islands[island].best()
    if best is None:
        return
    evaluation, before = state.evaluation_of(best), state.evaluation_or_none(state.baseline)
    gains = {one.name: one.gain for one in evaluation.instances if one.gain is not None}
    if len(gains) > 1:
        low, high = min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)
        if gains[high] - gains[low] > APART * abs(gains[high]):
            yield (
                f"The best program here gains least on {phrase(low)} ({gains[low]:.3g}) "
                f"and most on {phrase(high)} ({gains[high]:.3g})."
            )
    if before is not None and best != state.baseline:
        moved = [
            f"{name} {before.metrics[name]:.4g} -> {value:.4g}"
            for name, value in evaluation.metrics.items()
            if name in before.metrics and value != before.metrics[name]
        ]
        if moved:
            yield f"From the baseline to the best program here: {', '.join(moved[: 2 * MOST_TOLD])}."
