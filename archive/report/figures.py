"""Figures of a run; each draws on axes that it is given, and says in one sentence what is to be seen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...evaluators import Interval
from ...evaluators.timing import clocked_score
from ..history import Attempt, History, Yield
from . import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 14
MOST_DOTS = 1500
LEGEND_BELOW = 0.5
"""Inches from the axes to the legend below them."""

LONGEST = 24
"""Characters of a name beside an axis."""

BELOW = 0.35
"""Of the height between the lowest and the highest named score: what is shown below them of worse programs."""


def window(values: Sequence[float]) -> tuple[float, float]:
    """Limits of a score axis that show these values, 0 and 1 with a margin."""
    low, high = min(0.0, *values, 0.0), max(1.0, *values, 1.0)
    span = high - low
    return low - BELOW * span, high + 0.12 * span


def levels(axes: Axes, history: History) -> None:
    calibration = history.state.calibration
    theme.level(axes, 0.0, "baseline", theme.MUTED)
    theme.level(axes, 1.0, (calibration.one if calibration else "") or "reference", theme.REFERENCE)


def progress(axes: Axes, history: History) -> None:
    """Scores of the evaluations, and the best one so far with its interval; at the right what fresh instances gave."""
    bests = _changes([one for one in history.evaluated if one.best is not None])
    heights = [one.best or 0.0 for one in bests]
    bands = [one.best_interval or Interval(low=height, high=height) for one, height in zip(bests, heights, strict=True)]
    low, high = window(heights + [band.high for band in bands[-1:]])
    _dots(axes, [one for one in history.evaluated if one.score is not None], low, high)
    steps = [one.evaluations for one in bests]
    lows, highs = [band.low for band in bands], [band.high for band in bands]
    axes.fill_between(steps, lows, highs, step="post", color=theme.BEST, alpha=0.16, linewidth=0)
    axes.step(steps, heights, where="post", color=theme.BEST, linewidth=1.8, label="best so far, 95 %")
    _certified(axes, history, max(steps, default=1))
    levels(axes, history)
    axes.set(xlabel="evaluations", ylabel="score", ylim=(low, high))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, fontsize=8, handlelength=1.4)


def _changes(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those after which the best score or its interval is another one, and the last."""
    return [
        one
        for number, one in enumerate(attempts)
        if number in (0, len(attempts) - 1)
        or (one.best, one.best_interval) != (attempts[number - 1].best, attempts[number - 1].best_interval)
    ]


def _dots(axes: Axes, scored: Sequence[Attempt], low: float, high: float) -> None:
    """One dot per evaluation, of a long run for every so many."""
    every = math.ceil(len(scored) / MOST_DOTS)
    shown = scored[::every] if every else scored
    label = "an evaluation" if every <= 1 else f"an evaluation (1 of {every})"
    heights = [min(max(one.score or 0.0, low), high) for one in shown]
    places = [one.evaluations for one in shown]
    axes.scatter(places, heights, s=9, color=theme.MUTED, alpha=0.45, linewidths=0, label=label, zorder=2)


def _certified(axes: Axes, history: History, last: int) -> None:
    chosen = history.chosen
    certificate = history.state.certificates.get(chosen[0]) if chosen else None
    if certificate is None or certificate.score is None or certificate.interval is None:
        return
    axes.errorbar(
        [last * 1.02 + 0.5],
        [certificate.score],
        yerr=[[certificate.score - certificate.interval.low], [certificate.interval.high - certificate.score]],
        fmt="o",
        markersize=4.5,
        color=theme.FRESH,
        capsize=3,
        label="fresh instances",
        zorder=4,
    )


def lineage(axes: Axes, history: History, program: str) -> None:
    """Scores of the program's ancestors from the baseline, with their intervals."""
    state = history.state
    line = list(reversed(state.lineage(program)))
    for step, name in enumerate(line):
        evaluation = state.evaluation_or_none(name)
        if evaluation is None or evaluation.score is None:
            continue
        interval = evaluation.interval
        spread = [[evaluation.score - interval.low], [interval.high - evaluation.score]] if interval else None
        axes.errorbar([step], [evaluation.score], yerr=spread, fmt="o", markersize=5, color=theme.BEST, capsize=3)
    levels(axes, history)
    axes.set(xlabel="step of the lineage", ylabel="score", xlim=(-0.5, max(len(line) - 0.5, 1.5)))
    axes.set_xticks(range(len(line)))


def yield_bars(axes: Axes, rows: Sequence[Yield]) -> None:
    """Attempts of each sort, and how many of them were valid, elites and records."""
    from matplotlib.ticker import MaxNLocator

    shown = list(reversed(rows[:MOST_BARS]))
    names = [shortened(row.name.replace("_", " ")) for row in shown]
    bars = (
        ("not valid", theme.RULE, [row.attempts for row in shown]),
        ("valid", theme.MUTED, [row.valid for row in shown]),
        ("elites", theme.BEST, [row.elites for row in shown]),
        ("best of the run", theme.FRESH, [row.records for row in shown]),
    )
    for label, colour, widths in bars:
        axes.barh(range(len(shown)), widths, height=0.62, color=colour, label=label)
    axes.set_yticks(range(len(shown)), names)
    axes.set(xlabel="proposals")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0)
    axes.legend(loc="lower right", fontsize=8)


@dataclass(frozen=True, slots=True)
class Series:
    """Gains over the baseline of one program, by the name of the instance."""

    name: str
    colour: str
    gains: tuple[tuple[str, float], ...]
    confidence: float = 0.95

    @property
    def values(self) -> list[float]:
        return [gain for _, gain in self.gains]


def kind_of(instance: str) -> str:
    """An instance's name without the number of its draw (``roads.2``, ``roads of draw 2``)."""
    return re.sub(r"(\.\d+)*( of draw \d+)?$", "", instance)


def shortened(name: str) -> str:
    """Of a name at most ``LONGEST`` characters, on one line."""
    name = " ".join(name.split())
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def all_series(history: History, program: str) -> list[Series]:
    """The program on the instances of the search and on fresh ones, and the reference on the run's scale."""
    state = history.state
    found = []
    evaluation, certificate = state.evaluation_or_none(program), state.certificates.get(program)
    for name, colour, one in (
        ("in the search", theme.BEST, evaluation),
        ("on fresh instances", theme.FRESH, certificate),
    ):
        if one is not None:
            gains = tuple((result.name, result.gain) for result in one.instances if result.gain is not None)
            found.append(Series(name, colour, gains, one.interval.confidence if one.interval else 0.95))
    calibration = state.calibration
    if calibration is not None and len(calibration.gains) == len(calibration.baseline):
        gains = tuple(zip(calibration.baseline, calibration.gains, strict=True))
        found.append(Series("reference", theme.REFERENCE, gains))
    return [one for one in found if one.gains]


def instances(axes: Axes, series: Sequence[Series], *, ratio: bool) -> None:
    """Gains by kind of instance; with ``ratio`` they are logarithms, and the axis says by how many times."""
    kinds = list(dict.fromkeys(kind_of(name) for one in series for name, _ in one.gains))
    for place, one in enumerate(series):
        shift = 0.22 * (place - (len(series) - 1) / 2)
        y = [kinds.index(kind_of(name)) + shift for name, _ in one.gains]
        axes.scatter(one.values, y, s=22, color=one.colour, alpha=0.75, linewidths=0, label=one.name, zorder=3)
    axes.axvline(0, color=theme.MUTED, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    axes.set_yticks(range(len(kinds)), [shortened(kind) for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    _gain_axis(axes, [value for one in series for value in one.values], ratio)
    from matplotlib.transforms import ScaledTranslation

    below = axes.transAxes + ScaledTranslation(0, -LEGEND_BELOW, axes.figure.dpi_scale_trans)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=2, fontsize=8)


def timing(axes: Axes, series: Sequence[Series]) -> None:
    """Paired measurements of a clocked program: each ratio to the baseline beside it, their median, its interval."""
    for place, one in enumerate(series):
        median, interval = clocked_score(one.values, 1.0, one.confidence)
        jitter = [place + 0.28 * math.sin(2.4 * number) for number in range(len(one.values))]
        axes.scatter(one.values, jitter, s=12, color=one.colour, alpha=0.4, linewidths=0, zorder=2)
        spread = [[median - interval.low], [interval.high - median]]
        axes.errorbar([median], [place], xerr=spread, fmt="D", markersize=5, color=one.colour, capsize=4, zorder=4)
    axes.axvline(0, color=theme.MUTED, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    axes.set_yticks(range(len(series)), [one.name for one in series])
    axes.set_ylim(len(series) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    _gain_axis(axes, [value for one in series for value in one.values], True)


def _gain_axis(axes: Axes, values: Sequence[float], ratio: bool) -> None:
    if not ratio:
        axes.set_xlabel("gain over the baseline")
        return
    low, high = min(0.0, *values), max(0.0, *values)
    reaching = [ladder for ladder in FACTORS if math.log(ladder[0]) <= low + 0.1 and high - 0.1 <= math.log(ladder[-1])]
    within = [[tick for tick in ladder if low - 0.1 <= math.log(tick) <= high + 0.1] for ladder in reaching]
    ticks = next((found for found in within if len(found) <= MOST_TICKS), [1.0])
    axes.set_xticks([math.log(tick) for tick in ticks], [f"{tick:g}×" for tick in ticks])
    axes.set_xlabel("times better than the baseline")


MOST_TICKS = 6
FACTORS = (
    (0.9, 0.95, 1.0, 1.05, 1.1),
    (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5),
    (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0),
    (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
    tuple(4.0**power for power in range(-8, 9)),
    tuple(10.0**power for power in range(-12, 13)),
    tuple(1000.0**power for power in range(-20, 21)),
)
"""Ladders of ticks, from fine to coarse."""


def states(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Name, number and share of all, for a bar that is split by states."""
    total = sum(counts.values())
    return [(name, count, count / total) for name, count in counts.items() if count]


def described_progress(attempts: Sequence[Attempt]) -> str:
    """What the progress figure shows, in one sentence."""
    bests = [one for one in attempts if one.best is not None]
    if not bests:
        return "No program of this run has a score."
    records = sum(one.record for one in attempts)
    return (
        f"Best score so far over {bests[-1].evaluations} evaluations: {bests[0].best:.3f} at the first, "
        f"{bests[-1].best:.3f} at the last, in {records} steps."
    )
