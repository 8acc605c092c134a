"""How a further conductor takes part in a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..agents import Proposer
from ..archive import Joined, Journal
from .config import ConfigError, RunConfig, override
from .executors import settle
from .finish import Stage
from .interrupts import Interrupts
from .opened import Outcome, open_run
from .proposers import make_proposer, prepare
from .recorder import Observer, Recorder
from .reopening import Reopened
from .run import drive
from .setup import with_models

PAUSE_SECONDS = 0.5
"""Between looks whether the baseline is evaluated."""


def join(
    directory: Path,
    changes: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    model: str | None = None,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
    proposer: Proposer | None = None,
) -> Outcome:
    """Take part in the run in ``directory`` as a further conductor, with islands of its own, to the end of the run.

    ``changes`` (keys ``a.b``) and ``overrides`` (``a.b=c``) are to the run's settings.
    Raises: as ``resume``; ConfigError where they change what belongs to all conductors.
    """
    opened = Journal.open(directory, conductor=None)
    with Interrupts().watched() as interrupts, contextlib.closing(opened) as journal:
        _await_baseline(directory, journal, stage)
        run = open_run(directory, journal, number=None)
        config = with_models(_config(run.config, changes, overrides), model, "proposer" in changes)
        proposer = proposer or make_proposer(config)
        prepare(config, proposer)
        config = settle(config, run.folder.task.limits)
        recorder = Recorder(journal, run.state, run.budget)
        recorder.begin()
        number = len(run.state.ended)
        journal.claim(number)
        recorder.record(
            Joined(
                conductor=number,
                islands=config.islands.count,
                program=run.state.baseline,
                config=config.model_dump(mode="json"),
            )
        )
        recorder.commit()
        stage(f"joined as conductor {number}")
        return drive(replace(run, config=config, number=number), proposer, Reopened(), observers, stage, interrupts)


def _await_baseline(directory: Path, journal: Journal, stage: Stage) -> None:
    """New islands begin with it."""
    told = False
    while not any(row.kind == "added" for row in journal.rows()):
        if not told:
            told = True
            stage("waiting until the baseline of the run is evaluated")
        time.sleep(PAUSE_SECONDS)


def _config(run: RunConfig, changes: Mapping[str, Any], overrides: Sequence[str]) -> RunConfig:
    """Of a conductor that joins: the run's, but for what was of the first one's machine."""
    own = run.model_copy(update={"workers": None, "in_flight": None, "replay": None})
    config = override(own, changes, overrides)
    for key in ("budget", "seed"):
        if getattr(config, key) != getattr(run, key):
            raise ConfigError(f"'{key}' is the whole run's: a conductor that joins cannot change it")
    if config.islands != run.islands.model_copy(update={"count": config.islands.count}):
        raise ConfigError("'islands' is the whole run's: a conductor that joins can only choose islands.count")
    return config
