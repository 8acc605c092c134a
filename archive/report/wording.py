"""What a run came to, in sentences that claim no more than was measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...evaluators import Evaluation, Interval
from ..history import History
from ..knowledge import certifies

if TYPE_CHECKING:
    from markupsafe import Markup

SIGNIFICANT = 4
MINUS = "\N{MINUS SIGN}"

TIERS = {
    "full": "a jail with its own namespaces, no network, no capabilities, and filtered system calls",
    "namespaces": "a jail with its own namespaces, no network, no capabilities; system calls were not filtered",
    "docker": "a Docker container without network or capabilities",
    "shared": "a jail with its own namespaces and no network, but in one process with the task's own evaluator",
    "unsafe": "no jail at all: scores of this run hold for honest programs only",
}
"""Tier of an evaluation -> where the program ran."""


def number(value: float | None) -> str:
    """Four significant digits with a true minus sign; a dash where there is none."""
    return "–" if value is None else f"{value:.{SIGNIFICANT}g}".replace("-", MINUS)


def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", MINUS)


def span(interval: Interval | None) -> str:
    """An interval with its confidence where that is not 95 %."""
    if interval is None:
        return ""
    at = "" if interval.confidence == 0.95 else f" at {100 * interval.confidence:.4g} %"
    return f"[{score(interval.low)}, {score(interval.high)}]{at}"


def counted(count: int, what: str) -> str:
    """``1 proposal``, ``2 proposals``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def seconds(value: float) -> str:
    """``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if value < 60:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def prose(text: str) -> Markup:
    """Text with what stands in backticks as code; all else escaped."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(`{1,2})([^`]+)\1", r"<code>\2</code>", str(escape(text))))


def verdict(history: History) -> str:
    """One or two sentences at the head of a report."""
    state = history.state
    chosen = history.chosen
    if chosen is None or chosen[0] == state.baseline:
        return "The search found nothing better than the baseline."
    program, evaluation = chosen
    certificate = state.certificates.get(program)
    if certificate is None:
        return (
            f"The best program scores {score(evaluation.score)} in the search. It is not certified: "
            "that score is the luckiest of many, so expect less."
        )
    if not certifies(certificate):
        return (
            "Nothing is certified: on fresh instances no program that was tried is shown to beat the baseline. "
            f"The best of the search scores {_scored(certificate)} there."
        )
    top = state.calibration.one if state.calibration else ""
    said = f"On fresh secret instances the best program scores {_scored(certificate)}: {_placed(certificate, top)}."
    return f"{said} This is {certificate.caveat}." if certificate.caveat else said


def _scored(evaluation: Evaluation) -> str:
    if evaluation.score is None:
        return f"nothing ({evaluation.state.value})"
    return f"{score(evaluation.score)} {span(evaluation.interval)}"


def _placed(certificate: Evaluation, one: str) -> str:
    """Where a certified score stands on the scale, by its interval; ``one`` is the top's name where it is no paper's.

    No task without a reference claims that its 1 is much or little.
    """
    interval = certificate.interval
    assert interval is not None
    if one:
        return f"better than the baseline, where 1 means {one}"
    if interval.low > 1:
        return "better than the baseline, and better than the paper's method"
    if interval.high < 1:
        return "better than the baseline, short of the paper's method"
    return "better than the baseline; whether it beats the paper's method, this interval leaves open"
