"""An open run: what is known of it, its rebuilding from the journal, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..archive import Event, Joined, Journal, JournalError, Resumed, RunState, certifies
from ..archive.events import conductor_of
from ..evaluators import Calibration, Evaluation, TaskFolder, reload_task
from .budget import Budget
from .config import ConfigError, RunConfig, validate
from .recorder import Recorder

Watch = Callable[[Event, RunState], None]
"""Told of each event, and of the state before it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    run: Path
    task: str
    evaluations: int
    valid: int
    best: str | None
    """The certified program, else the one that is worth most in the search."""
    evaluation: Evaluation | None
    certificate: Evaluation | None
    gap: float | None
    """By how much the score in the search exceeds the certified one."""
    objective: str
    baseline_value: float | None
    reference_value: float | None
    top: str
    """What stands at 1 on the scale: the reference, or what the task counts as 1."""
    seconds: float
    tokens: int
    usd: float
    unpriced_tokens: int
    """Of the tokens, those whose price is unknown: they are not in ``usd``."""
    stopped_by: str
    """Why this conductor ended."""
    at_work: tuple[int, ...]
    """Other conductors that did not end yet, as far as the journal knows."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from ..archive.saved import read_run

        return read_run(self.run)._repr_html_()

    @property
    def score(self) -> float | None:
        return self.evaluation.score if self.evaluation else None

    @property
    def certified(self) -> bool:
        return self.certificate is not None and certifies(self.certificate)


@dataclass
class Run:
    """An open run: its task, settings, journal and state."""

    directory: Path
    folder: TaskFolder
    config: RunConfig
    journal: Journal
    state: RunState
    secret: bytes
    calibration: Calibration
    budget: Budget
    number: int = 0
    """Of the conductor that this process is."""

    def record(self, *events: Event) -> None:
        """Outside of the search."""
        Recorder(self.journal, self.state, self.budget).record_now(*events)

    def grant(self, config: RunConfig) -> None:
        """Go on within the limits of ``config``. Raises: ConfigError where there would be nothing to go on with."""
        self.budget.grant(config.budget)
        reached = self.budget.exhausted()
        if reached is not None:
            raise ConfigError(f"the run in {self.directory} has used up its limit '{reached}': {_MORE[reached]}")
        self.config = config


_MORE = {
    "evaluations": "give --evaluations more, they count from the run's beginning",
    "time": "give --time more, it counts from the run's beginning",
    "tokens": "give --tokens more, they count from the run's beginning",
    "usd": "give --usd more, it counts from the run's beginning",
}


def open_run(
    directory: Path, journal: Journal, watch: Watch = lambda event, state: None, number: int | None = 0
) -> Run:
    """Rebuild a run from its journal, for the conductor of that number; None for one that is about to join."""
    state, seconds = RunState(), 0.0
    sitting = last = None
    for _, at, event in journal.events():
        watch(event, state)
        state.apply(event)
        if sitting is None or isinstance(event, Resumed | Joined):
            seconds += (last - sitting) if sitting is not None and last is not None else 0.0
            sitting = at
        last = at
    if sitting is not None and last is not None:
        seconds += last - sitting
    started = state.started
    if started is None or state.calibration is None:
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    folder = reload_task(started.task, started.task_path, started.task_digest)
    own = state.joined[number].config if number in state.joined else started.config
    config = validate(own | {"budget": started.config["budget"]})
    # What the replies to open proposals cost is charged when these come to their end.
    under_way = state.spent.of_open([index for index in state.launched if conductor_of(index) == number])
    spent = state.spent.total.beyond(under_way)
    reserved = sum(conductor_of(index) != number for index in state.pending)
    budget = Budget(
        config.budget,
        evaluations=state.evaluations + reserved,
        seconds=seconds,
        tokens=spent.tokens,
        usd=spent.usd,
    )
    secret = bytes.fromhex(started.secret)
    calibration = Calibration.model_validate(state.calibration)
    return Run(directory, folder, config, journal, state, secret, calibration, budget, number or 0)


def outcome(run: Run, seconds: float) -> Outcome:
    """The summary of a run."""
    state = run.state
    best = state.certified_best or state.best
    program, evaluation = best if best else (None, None)
    objective = run.folder.task.objective
    return Outcome(
        run=run.directory,
        task=run.folder.task.id,
        evaluations=state.evaluations,
        valid=state.valid,
        best=program,
        evaluation=evaluation,
        certificate=state.certificates.get(program) if program else None,
        gap=state.gap(program) if program else None,
        objective=f"{objective.name} ({objective.direction.value})",
        baseline_value=run.calibration.baseline_value,
        reference_value=run.calibration.reference_value,
        top=run.calibration.top,
        seconds=seconds,
        tokens=state.spent.tokens,
        usd=state.spent.usd,
        unpriced_tokens=state.spent.unpriced_tokens,
        stopped_by=state.ended.get(run.number) or "running",
        at_work=tuple(state.at_work(run.number)),
    )
