"""A run from start or resumption to its certified best program."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..agents import Proposer
from ..archive import (
    ArchiveSettings,
    Calibrated,
    Evaluated,
    Event,
    Journal,
    JournalError,
    Resumed,
    RunStarted,
    RunState,
    Stopped,
    certifies,
)
from ..evaluators import Calibration, Evaluation, TaskFolder, calibrate, load_task, reload_task
from ..sandbox import open_sandbox
from .briefing import task_card
from .budget import Budget
from .certification import candidates, certify
from .conductor import Conductor, Observer, added_events, seed_event
from .config import RunConfig, validate
from .executor import LocalExecutor, sandbox_spec
from .interrupts import Interrupts
from .proposers import make_proposer
from .rules import Rules
from .secrets import run_secret
from .simplification import MAX_EVALUATIONS, Simplification, allowance, events, simplify


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
    seconds: float
    tokens: int
    usd: float
    stopped_by: str

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


Stage = Callable[[str], None]
"""Told in a few words what the run does before and after the loop, e.g. ``calibrating``."""


def start(
    task: str,
    config: RunConfig,
    directory: Path,
    *,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
    proposer: Proposer | None = None,
) -> Outcome:
    """Begin a run in ``directory``, which must not hold one already, and drive it to its end.

    Raises: TaskError, ConfigError, JournalError, NoJail, RunFailed - each with one line for the user.
    """
    folder = load_task(task)
    config = settle(config)
    proposer = proposer or make_proposer(config)
    secret = run_secret(folder.task.id, config.seed)
    spec = sandbox_spec(folder, config.unsafe)
    with Interrupts().watched() as interrupts, open_sandbox(spec) as sandbox, _new_journal(directory) as journal:
        stage("measuring baseline and reference on this machine")
        calibration = calibrate(folder, sandbox, secret)
        state = RunState()
        opening = list(_opening(folder, config, secret, calibration))
        journal.append(*opening)
        for event in opening:
            state.apply(event)
        run = Run(directory, folder, config, journal, state, secret, calibration, Budget(config.budget))
        return _drive(run, proposer, observers, stage, interrupts)


@contextlib.contextmanager
def _new_journal(directory: Path) -> Iterator[Journal]:
    """One in which no run began, because its task or the user stopped it, is removed again."""
    journal = Journal.create(directory)
    try:
        yield journal
    finally:
        if journal.is_empty:
            journal.discard()
        else:
            journal.close()


def default_directory(task: str) -> Path:
    """A folder for a run of the task that does not exist yet: ``runs/<task>-<time>``."""
    base = Path("runs") / f"{Path(task).resolve().name}-{time.strftime('%Y%m%d-%H%M%S')}"
    further = (base.with_name(f"{base.name}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain((base,), further) if not path.exists())


def settle(config: RunConfig) -> RunConfig:
    """The configuration with what depends on this machine written out, so that a resumed run goes on as it was."""
    return config.model_copy(update={"in_flight": config.lines})


def _opening(folder: TaskFolder, config: RunConfig, secret: bytes, calibration: Calibration) -> Iterator[Event]:
    islands = config.islands
    yield RunStarted(
        task=folder.task.id,
        task_path=str(folder.path),
        task_digest=folder.digest,
        config=config.model_dump(mode="json"),
        archive=ArchiveSettings.of(
            folder.task.descriptors,
            islands=islands.count,
            **islands.model_dump(exclude={"count"}),
        ),
        seed=config.seed,
        secret=secret.hex(),
        version=__version__,
    )
    yield Calibrated(calibration=calibration)
    yield seed_event(folder.baseline)


def resume(
    directory: Path,
    *,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
    proposer: Proposer | None = None,
) -> Outcome:
    """Go on with the run in ``directory`` exactly where it stopped, also after a kill.

    Raises: as ``start``; TaskError also where the task's files are no longer those of the run.
    """
    with Interrupts().watched() as interrupts, contextlib.closing(Journal.open(directory)) as journal:
        run = open_run(directory, journal)
        if run.state.stopped is None:
            stage("replayed the journal; going on")
        journal.append(Resumed())
        run.state.apply(Resumed())
        proposer = proposer or make_proposer(run.config)
        return _drive(run, proposer, observers, stage, interrupts)


def open_run(directory: Path, journal: Journal) -> Run:
    """Rebuild a run from its journal."""
    state, seconds = RunState(), 0.0
    sitting = last = None
    for _, at, event in journal.events():
        state.apply(event)
        if sitting is None or isinstance(event, Resumed):
            seconds += (last - sitting) if sitting is not None and last is not None else 0.0
            sitting = at
        last = at
    if sitting is not None and last is not None:
        seconds += last - sitting
    started = state.started
    if started is None or state.calibration is None:
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    folder = reload_task(started.task, started.task_path, started.task_digest)
    config = validate(started.config)
    spent = state.spent
    budget = Budget(config.budget, evaluations=state.evaluations, seconds=seconds, tokens=spent.tokens, usd=spent.usd)
    secret = bytes.fromhex(started.secret)
    calibration = Calibration.model_validate(state.calibration)
    return Run(directory, folder, config, journal, state, secret, calibration, budget)


def _drive(
    run: Run, proposer: Proposer, observers: tuple[Observer, ...], stage: Stage, interrupts: Interrupts
) -> Outcome:
    interrupts.advice = f"go on with: speciate resume {run.directory}"
    reason = asyncio.run(_search(run, proposer, observers, interrupts))
    if run.config.certify and not interrupts.asked and run.state.best is not None:
        with contextlib.suppress(KeyboardInterrupt):
            simpler = _simplified_best(run, stage) if run.config.simplify else None
            stage("certifying the best program on fresh instances")
            certify_programs(run, candidates(run.state, (simpler,) if simpler else ()))
    stopped = Stopped(reason="interrupted" if interrupts.asked else reason, seconds=run.budget.seconds)
    run.journal.append(stopped)
    run.state.apply(stopped)
    return outcome(run, run.budget.seconds)


def _simplified_best(run: Run, stage: Stage) -> str | None:
    """What simplification leaves of the best program, or None for nothing new."""
    best = run.state.best
    if best is None or best[0] == run.state.baseline or run.state.certified_best is not None:
        return None
    stage("simplifying the best program")
    result = simplify_program(run, best[0], allowance(run.state))
    return result.program.id if result else None


def simplify_program(run: Run, program: str, most: int = MAX_EVALUATIONS) -> Simplification | None:
    """Simplify a program of an open run with at most so many evaluations, and tell the journal."""
    result = simplify(
        run.folder,
        run.state,
        program,
        secret=run.secret,
        calibration=run.calibration,
        unsafe=run.config.unsafe,
        most=most,
    )
    for event in events(result, run.state) if result else ():
        answers = run.state.apply(event)
        run.journal.append(event, *(added_events(event.index, answers) if isinstance(event, Evaluated) else ()))
    return result


def certify_programs(run: Run, programs: Sequence[str]) -> None:
    """Certify programs in their order until one certificate holds, and tell the journal."""
    for event in certify(run.folder, run.state, programs, run.secret, run.config.unsafe):
        run.journal.append(event)
        run.state.apply(event)


async def _search(run: Run, proposer: Proposer, observers: tuple[Observer, ...], interrupts: Interrupts) -> str:
    executor = LocalExecutor(
        run.folder, run.secret, run.calibration, workers=run.config.workers, unsafe=run.config.unsafe
    )
    conductor = Conductor(
        run.config,
        task_card(run.folder),
        Rules(run.folder.task, run.folder.baseline),
        run.state,
        run.journal,
        proposer,
        executor,
        run.budget,
        observers,
    )
    try:
        with interrupts.asking(lambda: conductor.stop("interrupted")):
            return await conductor.run()
    finally:
        await executor.close()


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
        seconds=seconds,
        tokens=state.spent.tokens,
        usd=state.spent.usd,
        stopped_by=state.stopped or "running",
    )
