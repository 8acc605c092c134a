"""Figures of a run: its budget, its costs, how evaluations ended, what its proposers brought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...archive import RunState, Tally
from ...evaluators import State
from .reader import RunReader
from .words import duration, plural


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is used; ``share`` in [0, 1] and ``limit`` are None where there is none."""

    name: str
    text: str
    share: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """A proposer, or one of its mutations: what it brought. ``merit`` is None where the bandit has forgotten it."""

    proposer: str
    part: str
    proposals: int
    valid: int
    elites: int
    merit: float | None


def budget(reader: RunReader) -> list[Use]:
    """Evaluations and time always, tokens and money where there is a limit or something was spent."""
    state, course = reader.state, reader.course
    limits = state.started.config.get("budget", {}) if state.started else {}
    spent = state.spent
    uses = [
        _use("evaluations", state.evaluations, limits.get("evaluations"), lambda n: f"{n:,.0f}"),
        _use("time", course.seconds, limits.get("seconds"), duration),
    ]
    for name, used in (("tokens", spent.tokens), ("usd", spent.usd)):
        if used or limits.get(name):
            uses.append(_use(name, used, limits.get(name), (lambda n: f"{n:,.0f}") if name == "tokens" else _money))
    return uses


def _money(usd: float) -> str:
    return f"${usd:.2f}"


def _use(name: str, used: float, limit: float | None, told: Callable[[float], str]) -> Use:
    if not limit:
        return Use(name, told(used))
    return Use(name, f"{told(used)} of {told(limit)}", min(1.0, used / limit), limit)


def left(reader: RunReader) -> float | None:
    """Seconds until the nearest limit, as it goes now; None where that cannot be told yet."""
    shares = [use.share for use in budget(reader) if use.share]
    if not shares or reader.course.seconds <= 0:
        return None
    return reader.course.seconds * (1 - max(shares)) / max(shares)


def costs(reader: RunReader) -> Iterator[tuple[str, str]]:
    """(name, value) of what the run has used and holds beside its budget."""
    state, course = reader.state, reader.course
    if course.rate is not None:
        yield "rate", f"{course.rate:.1f} programs/s"
    yield "cpu", f"{duration(course.evaluation_cpu)} + {duration(state.spent.cpu_seconds)} proposing"
    if state.started is not None:
        islands = state.archipelago.islands
        elites = sum(len(island.elites()) for island in islands)
        yield "archive", f"{plural(elites, 'elite')} on {plural(len(islands), 'island')}"


def states(state: RunState) -> list[tuple[str, int]]:
    """How many evaluations ended in each state, in the order of the states; those that none ended in are left out."""
    found = [(one.value, state.counts[one]) for one in State if state.counts[one]]
    return [*found, ("pending", len(state.pending))] if state.pending else found


def arms(reader: RunReader) -> list[Arm]:
    """Proposers, each with its mutations after it, those with most proposals first."""
    merits = _merits(reader.state)
    found = [
        Arm(proposer, part, one.proposals, one.valid, one.elites, merits.get((proposer, part)))
        for (proposer, part), one in reader.course.yields.items()
        if proposer != "baseline"
    ]
    made = {arm.proposer: arm.proposals for arm in found if not arm.part}
    return sorted(found, key=lambda arm: (-made.get(arm.proposer, 0), arm.proposer, bool(arm.part), -arm.proposals))


def _merits(state: RunState) -> dict[tuple[str, str], float]:
    """Successes per evaluation lately, over all islands."""
    total: dict[tuple[str, str], Tally] = {}
    count = len(state.archipelago.islands) if state.started else 0
    for island in range(count):
        for arm, tally in state.ledger.merits(island).items():
            total[arm] = total.get(arm, Tally()).plus(tally.reward, tally.cost)
    return {arm: tally.reward / tally.cost for arm, tally in total.items() if tally.cost}
