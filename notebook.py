"""What a notebook shows of a run while it goes on."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .archive import Event, RunState
    from .discovery import Budget

EVERY = 0.5
"""Seconds between two pictures, at least."""


def in_notebook() -> bool:
    """Whether this is a kernel that shows HTML; asks for nothing to be imported."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class Board:
    """An observer of a run that keeps one output of the notebook's cell up to date."""

    def __init__(self) -> None:
        from IPython.display import HTML, display  # pyright: ignore[reportMissingImports]

        self._html = HTML
        self._handle: Any = display(HTML("starting"), display_id=True)
        self._shown = 0.0

    def stage(self, text: str) -> None:
        self._show(f"<p>{escape(text)} …</p>")

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        del event
        if time.monotonic() - self._shown >= EVERY:
            self._show(picture(state, budget))

    def _show(self, html: str) -> None:
        self._shown = time.monotonic()
        self._handle.update(self._html(html))


def picture(state: RunState, budget: Budget) -> str:
    """Progress, best score and states as HTML."""
    limit = budget.limits.evaluations
    done = f'<progress value="{budget.evaluations}" max="{limit}"></progress> ' if limit else ""
    of = f" of {limit}" if limit else ""
    best = state.best
    score = "–"
    if best is not None and best[1].score is not None:
        interval = best[1].interval
        between = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
        score = f"{best[1].score:.3f}{between}"
    counts = ", ".join(f"{count} {name.value}" for name, count in state.counts.items() if count)
    return (
        f"<p>{done}{budget.evaluations}{of} evaluations, {budget.seconds:.0f} s<br>"
        f"best score so far <strong>{escape(score)}</strong><br>{escape(counts)}</p>"
    )
