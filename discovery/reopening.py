"""What a run that goes on finds under way: briefs, exactly as they were, and replies that are paid for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..agents import Brief, Proposer, Waits
from ..archive import Event, Joined, Journal, JournalError, Launched, Replied, RunStarted, RunState
from ..archive.events import Traced, conductor_of
from ..evaluators import TaskFolder, Trace, reload_task
from .briefing import Briefing, task_card
from .config import ConfigError, RunConfig, validate

Replies = dict[str, list[Replied]]
"""By prompt hash, in their order."""


@dataclass(frozen=True)
class Reopened:
    """``briefs``: index -> island and brief of proposals under way. ``replies`` are those to them, ``replayed`` those
    of another run (see ``Desk``) and ``traces`` that run's, by program.
    """

    briefs: Mapping[int, tuple[int, Brief]] = field(default_factory=dict)
    replies: Mapping[str, Sequence[Replied]] = field(default_factory=dict)
    replayed: Mapping[str, Sequence[Replied]] | None = None
    traces: Mapping[str, Trace] = field(default_factory=dict)


class Reopening:
    """Watches the replay of a run's journal and makes the briefs of open proposals where they had been made.

    A brief shows what the run knew at its launch. To make it from the run's later state would ask the model something
    else, and the answer that is paid for would not be found.
    """

    def __init__(self, journal: Journal, proposer: Proposer, conductor: int) -> None:
        self._open = open_proposals(journal, conductor) if isinstance(proposer, Waits) else frozenset()
        self._conductor = conductor
        self._proposer = proposer
        self._briefing: Briefing | None = None
        self._seed = 0
        self.briefs: dict[int, tuple[int, Brief]] = {}
        self.replies: Replies = {}

    def watch(self, event: Event, state: RunState) -> None:
        """Called before the event is folded into the state."""
        if isinstance(event, Launched) and event.index in self._open:
            if self._briefing is None:
                self._briefing = self._begin(state)
            self.briefs[event.index] = event.island, self._briefing.brief(state, event.index, event.island, self._seed)
        elif isinstance(event, Replied) and event.index in self._open:
            self.replies.setdefault(event.prompt_hash, []).append(event)

    def _begin(self, state: RunState) -> Briefing:
        started = state.started
        assert started is not None
        folder = reload_task(started.task, started.task_path, started.task_digest)
        joined = state.joined.get(self._conductor)
        config = validate(joined.config if joined else started.config)
        self._seed = config.seed
        return Briefing(task_card(folder), config.selection, self._proposer)


def open_proposals(journal: Journal, conductor: int) -> frozenset[int]:
    """Indices of the conductor's proposals that were launched, and neither proposed nor dropped."""
    launched: set[int] = set()
    for row in journal.rows():
        if row.kind == "launched":
            launched.add(json.loads(row.payload)["index"])
        elif row.kind in ("proposed", "dropped"):
            launched.discard(json.loads(row.payload)["index"])
    return frozenset(index for index in launched if conductor_of(index) == conductor)


def config_of(directory: Path, journal: Journal, conductor: int) -> RunConfig:
    """Of one conductor of a run. Raises: JournalError, ConfigError."""
    config = first_event(directory, journal).config
    for row in journal.rows() if conductor else ():
        if row.kind == "joined" and (joined := Joined.model_validate_json(row.payload)).conductor == conductor:
            config = joined.config
    return validate(config)


def first_event(directory: Path, journal: Journal) -> RunStarted:
    """Raises: JournalError for a run that never began."""
    event = next((event for _, _, event in journal.events()), None)
    if not isinstance(event, RunStarted):
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    return event


def replaying(config: RunConfig, reopened: Reopened | None = None) -> Reopened:
    """What was found, with what the configuration says is to be used again. Raises: JournalError, ConfigError."""
    found = reopened or Reopened()
    if config.replay is None:
        return found
    replies, traces = recorded_answers(Path(config.replay))
    return replace(found, replayed=replies, traces=traces)


def replayed_secret(folder: TaskFolder, config: RunConfig) -> bytes | None:
    """The secret of the run that is run again, so that its instances and scores are the same.

    Raises: JournalError; ConfigError where that run had another task.
    """
    if config.replay is None:
        return None
    started = recorded_start(Path(config.replay))
    if (started.task, started.task_digest) != (folder.task.id, folder.digest):
        raise ConfigError(
            f"{config.replay} is a run of task '{started.task}', and this is '{folder.task.id}' or another version of "
            "it: replies can be used again for the same task only"
        )
    return bytes.fromhex(started.secret)


def recorded_config(directory: Path) -> RunConfig:
    """The configuration of a run, to run it again. Raises: JournalError, ConfigError."""
    return validate(recorded_start(directory).config)


def recorded_start(directory: Path) -> RunStarted:
    """Raises: JournalError."""
    journal = Journal.open(directory, readonly=True)
    try:
        return first_event(directory, journal)
    finally:
        journal.close()


def recorded_answers(directory: Path) -> tuple[Replies, dict[str, Trace]]:
    """All replies and traces in the journal of a run. Raises: JournalError; ConfigError where there are no replies."""
    replies: Replies = {}
    traces: dict[str, Trace] = {}
    journal = Journal.open(directory, readonly=True)
    try:
        for row in journal.rows():
            if row.kind == "replied":
                reply = Replied.model_validate_json(row.payload)
                replies.setdefault(reply.prompt_hash, []).append(reply)
            elif row.kind == "traced":
                traced = Traced.model_validate_json(row.payload)
                traces[traced.program] = traced.trace
    finally:
        journal.close()
    if not replies:
        raise ConfigError(f"{directory} holds no replies of a model: --replay needs a run of --proposer llm or inbox")
    return replies, traces
