"""The Python face: what the commands do, as functions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .archive import Journal, JournalError, Program, RunState, replay
from .discovery.executor import sandbox_spec
from .discovery.opened import Outcome
from .discovery.run import default_directory, start
from .discovery.secrets import run_secret
from .discovery.setup import run_config
from .evaluators import (
    Calibration,
    Evaluation,
    Evaluator,
    Size,
    TaskError,
    TaskFolder,
    calibrate,
    check_source,
    load_task,
)
from .evaluators.loader import shipped_tasks
from .sandbox import open_sandbox

tasks = shipped_tasks


def evaluate(task: str, source: str, *, size: Size = "default", seed: int = 0, unsafe: bool = False) -> Evaluation:
    """Score one program against baseline and reference of a task, which is an id of the catalogue or a task's folder.

    The same ``seed`` gives the same secret instances on one installation. Whatever the program does, its evaluation
    says; without a jail nothing runs, unless ``unsafe``.
    Raises: TaskError where the task cannot be used or the program breaks its rules; ConfigError; SandboxError.
    """
    folder = load_task(task)
    program = Program.of(source)
    problems = check_source(folder.task, program.files)
    if problems:
        raise TaskError(problems[0])
    return score(folder, program, size, seed, unsafe)[0]


def score(folder: TaskFolder, program: Program, size: Size, seed: int, unsafe: bool) -> tuple[Evaluation, Calibration]:
    """The evaluation of a program that keeps to the rules, and the scale it was measured on."""
    secret = run_secret(folder.task.id, seed)
    with open_sandbox(sandbox_spec(folder, unsafe)) as sandbox:
        calibration = calibrate(folder, sandbox, secret, size)
        evaluator = Evaluator(folder, sandbox, secret, calibration)
        return evaluator.evaluate(program.files, program.id, size=size), calibration


def discover(
    task: str,
    out: str | Path | None = None,
    *,
    evaluations: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    model: str | None = None,
    config: str | None = None,
    settings: Mapping[str, Any] | None = None,
    unsafe: bool = False,
) -> Outcome:
    """Search for a better program, certify the best one, and say what came of it.

    ``out`` is the run's folder (``runs/<task>-<time>`` by default), ``model`` names language models as ``--model`` does
    (the proposer is then ``llm``, unless it is set), ``config`` is a preset's name or a YAML file, and
    ``settings`` any further keys of the configuration, such as ``{"islands.count": 4}``. What is None keeps the
    configuration's value. Ctrl-C ends the run as on the command line.
    Raises: TaskError, ConfigError, JournalError, SandboxError, RunFailed, each with one line that says what to do.
    """
    values: dict[str, Any] = {"budget.evaluations": evaluations, "budget.seconds": seconds, "unsafe": unsafe or None}
    settled = run_config(config, **(settings or {}), **values, model=model, seed=seed, workers=workers)
    return start(task, settled, Path(out) if out else default_directory(task))


def load_run(directory: str | Path) -> RunState:
    """What a run knows, replayed from its journal; also while it goes on.

    Raises: JournalError where there is no run, or it cannot be read.
    """
    directory = Path(directory)
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        state = replay(journal)
    if state.started is None:
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    return state
