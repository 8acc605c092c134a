"""A run from start or resumption to its certified best program."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .. import __version__
from ..agents import Proposer
from ..archive import (
    ArchiveSettings,
    Calibrated,
    Event,
    Journal,
    Program,
    Resumed,
    RunStarted,
    RunState,
    Stopped,
)
from ..evaluators import Calibration, TaskFolder, calibrate, load_task
from ..sandbox import open_sandbox
from .briefing import task_card
from .budget import Budget
from .certification import candidates
from .conductor import Conductor
from .config import RunConfig, granted
from .events import seed_event
from .executors import make_executor, reach, settle
from .finish import Stage, certify_programs, simplified_best
from .given import given_events, given_programs
from .interrupts import Interrupts
from .opened import Outcome, Run, open_run, outcome
from .proposers import make_proposer, prepare, unpriced
from .recorder import Observer, Recorder
from .reopening import Reopened, Reopening, config_of, replayed_secret, replaying
from .rules import Rules
from .seats import resumable
from .secrets import run_secret


def start(
    task: str,
    config: RunConfig,
    directory: Path,
    *,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
    proposer: Proposer | None = None,
    interrupts: Interrupts | None = None,
    journal_url: str | None = None,
    begin_with: Sequence[Path] = (),
) -> Outcome:
    """Begin a run in ``directory``, which must not hold one already, and drive it to its end.

    Its journal is a file there, or kept in the PostgreSQL database at ``journal_url``. It begins with the baseline and
    with ``begin_with``: programs' files, and folders of runs, of which the best program is taken.
    ``interrupts`` is what ends it early where it runs in another thread than the main one.
    Raises: TaskError, ConfigError, JournalError, NoJail, RunFailed - each with one line for the user.
    """
    folder = load_task(task)
    programs = given_programs(begin_with, folder)
    proposer = proposer or make_proposer(config)
    prepare(config, proposer)
    config = settle(config, folder.task.limits)
    secret = replayed_secret(folder, config) or run_secret(folder.task.id, config.seed)
    reopened = replaying(config)
    spec = folder.spec(config.backend)
    watched = (interrupts or Interrupts()).watched()
    with watched as signals, open_sandbox(spec) as sandbox, _new_journal(directory, journal_url) as journal:
        for line in unpriced(config):
            stage(line)
        stage("measuring baseline and reference on this machine")
        calibration = calibrate(folder, sandbox, secret, tell=stage)
        state = RunState()
        opening = list(_opening(folder, config, secret, calibration, programs))
        journal.append(*opening)
        for event in opening:
            state.apply(event)
        run = Run(directory, folder, config, journal, state, secret, calibration, Budget(config.budget))
        return drive(run, proposer, reopened, observers, stage, signals)


@contextlib.contextmanager
def _new_journal(directory: Path, url: str | None) -> Iterator[Journal]:
    """One in which no run began, because its task or the user stopped it, is removed again."""
    journal = Journal.create(directory, url)
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


def _opening(
    folder: TaskFolder, config: RunConfig, secret: bytes, calibration: Calibration, programs: Mapping[str, Program]
) -> Iterator[Event]:
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
    yield from given_events(programs, islands.count)


def resume(
    directory: Path,
    *,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
    proposer: Proposer | None = None,
    limits: Mapping[str, float | None] = MappingProxyType({}),
) -> Outcome:
    """Go on with the run in ``directory`` exactly where it stopped, also after a kill; of several conductors as one
    that is not at work.

    ``limits`` (see ``BudgetSettings``) grant it more; a run that has ended does nothing without.
    Raises: as ``start``; TaskError also where the task's files are no longer those of the run.
    """
    journal, number = resumable(directory)
    with Interrupts().watched() as interrupts, contextlib.closing(journal):
        config = config_of(directory, journal, number)
        proposer = proposer or make_proposer(config)
        prepare(config, proposer)
        reach(config)
        reopening = Reopening(journal, proposer, number)
        run = open_run(directory, journal, reopening.watch, number)
        if run.state.ended[number] is None:
            stage("replayed the journal; going on")
        granted_more = any(limit is not None for limit in limits.values())
        if granted_more:
            run.grant(granted(run.config, limits))
        budget = run.config.budget.model_dump(mode="json") if granted_more else None
        run.record(Resumed(conductor=number, budget=budget))
        reopened = replaying(config, Reopened(reopening.briefs, reopening.replies))
        return drive(run, proposer, reopened, observers, stage, interrupts)


def drive(
    run: Run,
    proposer: Proposer,
    reopened: Reopened,
    observers: tuple[Observer, ...],
    stage: Stage,
    interrupts: Interrupts,
) -> Outcome:
    """Search to the end; the last of the run's conductors certifies."""
    interrupts.advice = f"go on with: speciate resume {run.directory}"
    reason = asyncio.run(_search(run, proposer, reopened, observers, interrupts))
    if not _leaves(run, "interrupted" if interrupts.asked else reason):
        if run.config.certify and not interrupts.asked and run.state.best is not None:
            with contextlib.suppress(KeyboardInterrupt):
                simpler = simplified_best(run, stage) if run.config.simplify else None
                stage("certifying the best program on fresh instances")
                certify_programs(run, candidates(run.state, (simpler,) if simpler else ()))
        run.record(_stopped(run, "interrupted" if interrupts.asked else reason))
    return outcome(run, run.budget.seconds)


def _leaves(run: Run, reason: str) -> bool:
    """Whether others go on; then this conductor has ended."""
    recorder = Recorder(run.journal, run.state, run.budget)
    recorder.begin()
    others = bool(run.state.at_work(run.number))
    if others:
        recorder.record(_stopped(run, reason))
    recorder.commit()
    return others


def _stopped(run: Run, reason: str) -> Stopped:
    return Stopped(reason=reason, seconds=run.budget.seconds, conductor=run.number)


async def _search(
    run: Run, proposer: Proposer, reopened: Reopened, observers: tuple[Observer, ...], interrupts: Interrupts
) -> str:
    executor = make_executor(run)
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
        reopened,
        run.number,
    )
    try:
        with interrupts.asking(lambda: conductor.stop("interrupted")):
            return await conductor.run()
    finally:
        await executor.close()
