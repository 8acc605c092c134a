"""The Python face: what the commands do, as functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from .archive import Program
from .archive.saved import SavedRun, read_run
from .discovery.config import load_config
from .discovery.interrupts import Interrupts
from .discovery.opened import Outcome
from .discovery.run import default_directory, start
from .discovery.secrets import run_secret
from .discovery.setup import run_config
from .evaluators import (
    Calibration,
    Evaluation,
    Evaluator,
    Size,
    Task,
    TaskError,
    TaskFolder,
    Trace,
    calibrate,
    check_source,
    load_task,
)
from .evaluators.loader import shipped_tasks
from .evaluators.seeds import draw
from .evaluators.tracing import telling, trace
from .notebook import Board, in_notebook
from .sandbox import Backend, open_sandbox


def tasks(family: str | None = None) -> list[Task]:
    """The tasks of the catalogue, or of one family of it. Raises: TaskError for a family that does not exist.

    >>> [task.id for task in tasks("clustering")]
    ['fasterpam', ...]
    """
    return shipped_tasks(family)


def evaluate(
    task: str,
    source: str,
    *,
    size: Size = "default",
    seed: int = 0,
    sandbox: str = "bubblewrap",
    unsafe: bool = False,
) -> Evaluation:
    """Score one program against baseline and reference of a task, which is an id of the catalogue or a task's folder.

    The same ``seed`` gives the same secret instances on one installation. Whatever the program does, its evaluation
    says; ``sandbox`` is "bubblewrap", "docker" or "cpu-device" (a task for a GPU on the CPU), and without a jail
    nothing runs, unless ``unsafe``. At size "gpu" a task that has a form for a GPU is scored as that.
    Raises: TaskError where the task cannot be used or the program breaks its rules; ConfigError; SandboxError.

    >>> from speciate.evaluators import load_task
    >>> found = evaluate("alf_lb_online_dual", load_task("alf_lb_online_dual").reference)
    >>> found.state.value, round(found.score, 6)
    ('valid', 1.0)
    """
    backend = load_config(None, sandbox=sandbox, unsafe=unsafe).backend
    folder = load_task(task).at(size)
    program = Program.of(source)
    problems = check_source(folder.task, program.files)
    if problems:
        raise TaskError(problems[0])
    return score(folder, program, size, seed, backend)[0]


def score(
    folder: TaskFolder, program: Program, size: Size, seed: int, backend: Backend
) -> tuple[Evaluation, Calibration]:
    """The evaluation of a program that keeps to the rules, and the scale it was measured on."""
    secret = run_secret(folder.task.id, seed)
    with open_sandbox(folder.spec(backend)) as sandbox:
        calibration = calibrate(folder, sandbox, secret, size)
        evaluator = Evaluator(folder, sandbox, secret, calibration)
        return evaluator.evaluate(program.files, program.id, size=size), calibration


def traced(
    folder: TaskFolder, program: Program, secret: bytes, backend: Backend, evaluation: Evaluation | None
) -> Trace:
    """One recorded run of a program on a smoke instance (see ``evaluators/tracing.py``). Raises: SandboxError."""
    instances = draw(folder.task, secret, "smoke", "search")
    with open_sandbox(folder.spec(backend)) as sandbox:
        return trace(folder.task, sandbox, program.files, telling(instances, evaluation))


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
    begin_with: Sequence[str | Path] = (),
    sandbox: str | None = None,
    unsafe: bool = False,
) -> Outcome:
    """Search for a better program, certify the best one, and say what came of it.

    ``out`` is the run's folder (``runs/<task>-<time>`` by default), ``model`` names language models as ``--model`` does
    (the proposer is then ``llm``, unless it is set), ``config`` is a preset's name or a YAML file, and
    ``settings`` any further keys of the configuration, such as ``{"islands.count": 4}``; ``begin_with`` are programs'
    files, and folders of runs, that the search starts from beside the baseline. What is None keeps the
    configuration's value. Ctrl-C, or interrupting the kernel, ends the run when what is in flight has ended. A
    notebook shows the progress, and the outcome as a table.
    Raises: TaskError, ConfigError, JournalError, SandboxError, RunFailed, each with one line that says what to do.

    >>> found = discover("alf_lb_online_dual", "first", evaluations=8, seed=1, settings={"certify": False})
    >>> found.evaluations, found.stopped_by
    (8, 'evaluations')
    >>> found.best == load_run("first").best[0]
    True
    """
    values: dict[str, Any] = {"budget.evaluations": evaluations, "budget.seconds": seconds, "unsafe": unsafe or None}
    values |= {"sandbox": sandbox}
    settled = run_config(config, **(settings or {}), **values, model=model, seed=seed, workers=workers)
    directory = Path(out) if out else default_directory(task)
    board = Board() if in_notebook() else None
    stage = {"stage": board.stage} if board else {}
    given = tuple(map(Path, begin_with))
    begin = partial(start, task, settled, directory, observers=(board,) if board else (), begin_with=given, **stage)
    return _apart(begin) if _loop_is_running() else begin()


def _loop_is_running() -> bool:
    """Whether this thread runs an event loop, as a notebook's does: another one cannot run in it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _apart(begin: Callable[..., Outcome]) -> Outcome:
    """Run in a thread of its own, where an event loop of its own can run."""
    interrupts = Interrupts()
    with ThreadPoolExecutor(1, thread_name_prefix="discover") as pool, interrupts.relayed():
        return pool.submit(begin, interrupts=interrupts).result()


def load_run(directory: str | Path) -> SavedRun:
    """What a run knows, replayed from its journal; also while it goes on.

    Its ``rows()`` make a data frame (``pandas.DataFrame(run.rows())``), as do the ``instances(program)`` of one
    program; ``source(program)`` is its text. A notebook shows a run as a table.
    Raises: JournalError where there is no run, or it cannot be read.

    >>> run = load_run("first")
    >>> [row["operator"] for row in run.rows()][:2]
    ['seed', 'mutate']
    >>> valid = [row["score"] for row in run.rows() if row["state"] == "valid"]
    >>> max(valid) == run.best[1].score
    True
    >>> len(run.instances(run.baseline))
    4
    >>> "def balance" in run.source(run.baseline)
    True
    """
    return read_run(Path(directory))
