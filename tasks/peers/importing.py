"""Other systems' files become a task folder: theirs unchanged in a folder of their own, ours around them."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...evaluators import TaskError
from ...evaluators.source import UNWANTED
from ...sandbox import SandboxError
from . import programs
from .algotune import AlgoTuneProblem
from .forms import (
    STANDINS,
    Form,
    Recognised,
    Source,
    called,
    companions,
    experiment,
    modules,
    packages,
    recognise,
    signature,
)
from .kernelbench import KernelBenchProblem
from .limits import LIMITS
from .writing import Plan, render

JUDGE, BESIDE = "judge", "helpers"
"""Where an evaluator lies: apart from programs, or where they see it too."""

APART = "programs run in a jail of their own, apart from what judges them"
TOGETHER = (
    "programs run in one process with their evaluator, whose form wants it so: a program can forge its score, "
    "and results are only as trusted as their evaluator"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A task folder, and the form that it was imported from."""

    task: Path
    form: Form
    shared: bool

    @property
    def trust(self) -> str:
        """How far its scores can be trusted."""
        return TOGETHER if self.shared else APART


def import_task(
    files: Sequence[Path],
    directory: Path,
    *,
    name: str | None = None,
    together: bool = False,
    n: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Imported:
    """Write the task folder ``directory``, which must not exist or be empty. Nothing of the files is run outside jails.

    ``together`` runs a ShinkaEvolve evaluator as OpenEvolve's: in one process with the program. ``n`` is the size of
    AlgoTune's problems. Raises: TaskError, SandboxError, OSError.
    """
    found = recognise(files)
    if directory.exists() and any(directory.iterdir()):
        raise TaskError(f"{directory} is not empty: choose a folder that does not exist yet")
    shared = found.form is Form.OPENEVOLVE or (found.form is Form.SHINKA and (together or not experiment(found.judge)))
    if n is not None and found.form is not Form.ALGOTUNE:
        raise TaskError("--n is the size of AlgoTune's problems; these files have none")
    theirs = directory / (BESIDE if shared else JUDGE)
    try:
        _copy(found, theirs)
        plan = _PLANS[found.form](found, theirs, name or task_name(directory), shared, n, tell)
        for file, text in render(plan).items():
            (directory / file).write_text(text, encoding="utf-8")
    except (TaskError, SandboxError, OSError):
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return Imported(directory, found.form, shared)


def task_name(path: Path) -> str:
    return re.sub(r"\W", "_", path.resolve().name) or "task"


def _copy(found: Recognised, folder: Path) -> None:
    """The evaluator, what it imports or names beside it, and stand-ins for the packages of its system."""
    judge = found.judge
    folder.mkdir(parents=True)
    for path in (judge.path, *companions(judge, found.initial)):
        shutil.copy(path, folder / path.name)
    wanted = {name.partition(".")[0] for name in judge.imports}
    for package in STANDINS.iterdir():
        if package.name in wanted:
            shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))


def _evaluator(
    found: Recognised, theirs: Path, name: str, shared: bool, n: int | None, tell: Callable[[str], None]
) -> Plan:
    """OpenEvolve's and ShinkaEvolve's: a program and what evaluates it."""
    initial, judge, form = found.initial, found.judge, found.form
    assert initial is not None
    entry = experiment(judge) if form is Form.SHINKA else None
    entry = entry or called(initial, judge)
    ours, needed = packages([initial]), packages([judge, *modules(judge, initial)])
    file = judge.path.name
    peer = (
        f"SharedEvaluator(FOLDER, {file!r}, {form.name.lower()!r})"
        if shared
        else f"Experiment(FOLDER, {file!r}, {entry!r}, imports={needed!r}, limits=LIMITS)"
    )
    return Plan(
        name=name,
        form=form,
        shared=shared,
        files=(initial.path.name, file),
        folder=theirs.name,
        peer=peer,
        instances="instances",
        judge="judge",
        drive="peer.drive",
        entry=signature(initial, entry),
        statement=_statement(judge, initial, entry),
        objective='Objective(SCORE, Direction.MAXIMIZE, scale="linear")',
        unit='Unit(1.0, "combined_score higher by 1")',
        imports=tuple(dict.fromkeys([*ours, *needed])) if shared else ours,
        own_imports=_standard(initial),
        baseline=programs.marked(initial.text),
    )


def _standard(source: Source) -> tuple[str, ...]:
    """Modules of the standard library that a program imports although none of ours may."""
    return tuple(name for name in source.imports if name.partition(".")[0] in UNWANTED)


def _algotune(
    found: Recognised, theirs: Path, name: str, shared: bool, n: int | None, tell: Callable[[str], None]
) -> Plan:
    judge, file = found.judge, found.judge.path.name
    needed = packages([judge, *modules(judge)])
    if n is None:
        tell("looking for a size of problems that takes long enough to be timed")
        n = AlgoTuneProblem(theirs, file, 1, needed, LIMITS).fitting()
        tell(f"problems of size n = {n}")
    AlgoTuneProblem(theirs, file, n, needed, LIMITS).instances(np.random.default_rng(0), "smoke")
    description = judge.path.parent / "description.txt"
    statement = description.read_text(encoding="utf-8") if description.is_file() else _documented(judge)
    return Plan(
        name=name,
        form=found.form,
        shared=shared,
        files=(file,),
        folder=theirs.name,
        peer=f"AlgoTuneProblem(FOLDER, {file!r}, n={n}, imports={needed!r}, limits=LIMITS)",
        instances="peer.instances",
        judge="peer.judge",
        drive="",
        entry="def solve(problem: object) -> object",
        statement=f"{statement.strip()}\n\n`solve(problem)` returns a solution as fast as it can.",
        objective=TIMED,
        unit=TWICE,
        imports=needed,
        own_imports=_standard(judge),
        baseline=programs.solver(judge),
    )


def _kernelbench(
    found: Recognised, theirs: Path, name: str, shared: bool, n: int | None, tell: Callable[[str], None]
) -> Plan:
    judge, file = found.judge, found.judge.path.name
    needed = tuple(dict.fromkeys([*packages([judge, *modules(judge)]), "torch"]))
    tell("making inputs once, to see that they can be made here")
    KernelBenchProblem(theirs, file, needed, LIMITS).instances(np.random.default_rng(0), "smoke")
    return Plan(
        name=name,
        form=found.form,
        shared=shared,
        files=(file,),
        folder=theirs.name,
        peer=f"KernelBenchProblem(FOLDER, {file!r}, imports={needed!r}, limits=LIMITS)",
        instances="peer.instances",
        judge="peer.judge",
        drive="",
        entry=programs.RUN,
        statement=f"{_documented(judge)}\n\n{KERNEL}",
        objective=TIMED,
        unit=TWICE,
        imports=needed,
        own_imports=_standard(judge),
        baseline=programs.kernel(judge),
    )


TIMED = 'Objective("cpu_seconds", Direction.MINIMIZE, scale="log", measure=Measure.CPU_SECONDS, unit="s")'
TWICE = 'Unit(math.log(2), "twice as fast")'
KERNEL = (
    "`ModelNew` does what the model does, with the same arguments, and faster: on the CPU, with one thread, from the "
    "start of its process to its end. It creates its parameters in the same order, so that they have the same values."
)


def _documented(source: Source) -> str:
    """What the file says of itself: its docstring, else that of its first class."""
    nodes = [source.tree, *source.classes.values()]
    return next((text for node in nodes if (text := ast.get_docstring(node))), "As the program stands.")


def _statement(judge: Source, initial: Source, entry: str) -> str:
    """What the configuration's message, the evaluator, the program and its function say of themselves."""
    function = initial.functions.get(entry)
    nodes = (judge.tree, initial.tree, *([function] if function else ()))
    texts = [_message(judge.path.parent), *(ast.get_docstring(node) or "" for node in nodes)]
    return "\n\n".join([*(text for text in texts if text), f"The evaluator calls `{entry}`."])


def _message(folder: Path) -> str:
    """The system message of an OpenEvolve or SkyDiscover ``config.yaml`` beside the evaluator."""
    import yaml

    file = folder / "config.yaml"
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (yaml.YAMLError, UnicodeDecodeError):
        return ""
    prompt = tree.get("prompt") if isinstance(tree, dict) else None
    message = prompt.get("system_message") if isinstance(prompt, dict) else None
    return message.strip() if isinstance(message, str) else ""


_PLANS = {
    Form.OPENEVOLVE: _evaluator,
    Form.SHINKA: _evaluator,
    Form.ALGOTUNE: _algotune,
    Form.KERNELBENCH: _kernelbench,
}
