"""Evaluations as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...evaluators import Calibration, Evaluation, InstanceResult, State
from ...evaluators.evaluation import percent
from .words import clean, memory, number, score, small_time, span


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    tone: Literal["", "good", "bad", "dim", "strong"] = ""


def evaluation_lines(evaluation: Evaluation, calibration: Calibration | None) -> list[Line]:
    """The whole, then one line per instance beside what baseline and reference reach on it."""
    lines = [Line(f"{evaluation.state.value}, size {evaluation.size}", "good" if _valid(evaluation.state) else "bad")]
    if evaluation.score is not None:
        lines.append(Line(f"score {score(evaluation.score)} {span(evaluation.interval)}", "strong"))
    if evaluation.value is not None and calibration is not None:
        scale = f"baseline {number(calibration.baseline_value, 5)}, {at_top(calibration)}"
        lines.append(Line(f"value {number(evaluation.value, 5)}  ({scale})"))
    spent = f"{small_time(evaluation.cpu_seconds)} cpu, {small_time(evaluation.wall_seconds)} wall"
    lines.append(Line(f"{spent}, {memory(evaluation.peak_memory)}, jail {evaluation.tier or '-'}", "dim"))
    lines += [Line(f"scored {evaluation.caveat}", "bad")] if evaluation.caveat else []
    if evaluation.nearness:
        lines.append(Line(calibration.nearness(evaluation) if calibration else evaluation.nearness))
    lines += [Line(f"{clean(name)} = {number(value, 5)}", "dim") for name, value in evaluation.descriptors.items()]
    return [*lines, Line(""), *instance_lines(evaluation.instances, calibration)]


def at_top(calibration: Calibration) -> str:
    """What stands at 1, and the objective's value there."""
    return f"{clean(calibration.one) or 'reference'} {number(calibration.reference_value, 5)}"


def instance_lines(results: Sequence[InstanceResult], calibration: Calibration | None) -> list[Line]:
    if not results:
        return [Line("no instance was tried", "dim")]
    width = max(8, *(len(clean(result.name)) for result in results))
    limited = any(result.roofline is not None for result in results)
    head = (
        f"{'instance':<{width}}  {'state':<9} {'value':>10} {'baseline':>10} {'reference':>10} {'score':>8} {'cpu':>8}"
    )
    lines = [Line(f"{head} {'of limit':>9}" if limited else head, "dim")]
    for result in results:
        base, reference = _scale(result.name, calibration)
        unit = None if calibration is None else calibration.reference_gain
        reached = None if result.gain is None or not unit else result.gain / unit
        text = (
            f"{clean(result.name):<{width}}  {result.state.value:<9} {number(result.value, 5):>10} "
            f"{number(base, 5):>10} {number(reference, 5):>10} {score(reached):>8} {small_time(result.cpu_seconds):>8}"
        )
        if limited:
            text += f" {percent(result.roofline.fraction) if result.roofline else '-':>9}"
        lines.append(Line(text, "" if _valid(result.state) else "bad"))
        if result.note:
            lines.append(Line(f"{'':<{width}}  {clean(result.note)}", "dim"))
    return lines


def _scale(name: str, calibration: Calibration | None) -> tuple[float | None, float | None]:
    """Values of baseline and reference; a clocked task has fresh instances, so none by that name."""
    if calibration is None:
        return None, None
    return calibration.baseline.get(name), calibration.reference.get(name)


def certificate_lines(certificate: Evaluation, holds: bool, gap: float | None) -> list[Line]:
    """What the program reached on instances that did not exist during the search."""
    interval = certificate.interval
    certain = "" if interval is None else f"{span(interval)} at {100 * interval.confidence:.4g} %"
    return [
        Line(
            "holds: its whole interval is above the baseline" if holds else "does not hold", "good" if holds else "bad"
        ),
        Line(f"score {score(certificate.score)} {certain}", "strong"),
        *([Line(f"it is {certificate.caveat}", "bad")] if certificate.caveat else []),
        Line(f"gap {score(gap)}: the search's score minus this one", "dim"),
        Line(""),
        *instance_lines(certificate.instances, None),
    ]


def _valid(state: State) -> bool:
    return state is State.VALID
