"""What a task's own file must keep to: looked at when it is loaded, and whenever one of its functions is called."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from .task import (
    Descriptor,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Precision,
    Size,
    Style,
    Task,
    TaskLimits,
    Unit,
)


class TaskError(Exception):
    """A task that cannot be used; one line says what to mend."""


FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "family": str,
    "title": str,
    "paper": Paper,
    "entry": Entry,
    "statement": str,
    "objective": Objective,
    "descriptors": (tuple, list),
    "limits": TaskLimits,
    "suspicious_ratio": (int, float),
    "repeats": int,
    "claim": str,
    "unit": (Unit, type(None)),
    "shared": bool,
}
REQUIRED_CALLS = ("instances", "judge")
BOUNDS = ("floor", "flops", "bytes")
"""Optional functions from an instance to a number."""
OPTIONAL_CALLS = ("oracle", "drive", *BOUNDS)
DRIVEN = ("staged", "rounds")


def violations(task: Task) -> Iterator[str]:
    """What is wrong with the definition itself, in words; nothing of the task is called."""
    wrong = list(_fields(task))
    yield from wrong
    if wrong:
        return
    if not task.id or not task.statement.strip():
        yield "'id' and 'statement' must not be empty"
    if not _is_signature(task.entry):
        yield "the entry's signature is not Python: write it as 'def name(x: type) -> type'"
    yield from _style(task)
    if task.precision not in get_args(Precision):
        yield f"'precision' must be one of {', '.join(get_args(Precision))}, not {task.precision!r}"
    if task.repeats < 1:
        yield "'repeats' must be at least 1"
    if task.unit is not None and not task.unit.gain > 0:
        yield "'unit' needs a gain above 0"
    if not task.descriptors:
        yield "give at least one descriptor, for example Descriptor('code_size', 10, 1000, scale='log')"
    for axis in task.descriptors:
        if not axis.low < axis.high or axis.bins < 1 or (axis.scale == "log" and axis.low <= 0):
            yield f"descriptor '{axis.name}' needs low < high, at least one bin, and low > 0 on a log scale"


def _fields(task: Task) -> Iterator[str]:
    for name, kind in FIELDS.items():
        value = getattr(task, name)
        if not isinstance(value, kind):
            wanted = kind[0] if isinstance(kind, tuple) else kind
            yield f"'{name}' must be {wanted.__name__}, not {type(value).__name__}"
    for name in (*REQUIRED_CALLS, *OPTIONAL_CALLS):
        value = getattr(task, name)
        if not callable(value) and (value is not None or name in REQUIRED_CALLS):
            yield f"'{name}' must be a function, not {type(value).__name__}"
    if isinstance(task.descriptors, Sequence) and not all(isinstance(axis, Descriptor) for axis in task.descriptors):
        yield "'descriptors' must hold Descriptor(...) only"


def _is_signature(entry: Entry) -> bool:
    try:
        return bool(entry.functions)
    except (SyntaxError, ValueError):
        return False


def _style(task: Task) -> Iterator[str]:
    if task.style not in get_args(Style):
        yield f"'style' must be one of {', '.join(get_args(Style))}, not {task.style!r}"
    if task.style == "oracle" and task.oracle is None:
        yield "a task of style 'oracle' needs 'oracle', a function from an instance to its Oracle"
    on_device = task.limits.gpus > 0
    if on_device and task.style != "function":
        yield "a task with 'limits.gpus' is of style 'function': its arrays are given to the program on the device"
    if task.objective.measure is Measure.DEVICE_SECONDS and not on_device:
        yield "the measure 'device_seconds' needs 'limits.gpus' above 0"
    if task.style in DRIVEN and task.drive is None:
        yield f"a task of style '{task.style}' needs 'drive', a function that runs a program on an instance"


def guarded(task: Task, folder: Path) -> Task:
    """The task with ``instances`` and bounds that raise TaskError, naming file and line, where they fail.

    A judge, a driver or an oracle that fails is the business of a trial: it meets what the candidate says.
    """

    def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
        made = _called(folder, task.instances, rng, size)
        if not isinstance(made, list | tuple) or not all(isinstance(one, Instance) for one in made):
            raise TaskError(f"{folder / 'task.py'}: instances(rng, '{size}') must return a list of Instance(...)")
        return made

    bounds = {name: _bound(folder, name, getattr(task, name)) for name in BOUNDS if getattr(task, name) is not None}
    return replace(task, instances=instances, **bounds)


def _bound(folder: Path, name: str, function: Callable[[Instance], float]) -> Callable[[Instance], float]:
    def bound(instance: Instance) -> float:
        value = _called(folder, function, instance)
        if not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise TaskError(f"{folder / 'task.py'}: {name}(instance) must return a number")
        return float(value)

    return bound


def _called(folder: Path, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except TaskError:
        raise
    except Exception as error:
        raise TaskError(located(folder, error)) from error


def located(folder: Path, error: BaseException) -> str:
    """File and line of the task (else of its family) where the error arose, and what it says."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _belongs(frame.filename, folder)]
    if isinstance(error, SyntaxError) and error.filename and _belongs(error.filename, folder):
        file, line, said = Path(error.filename).name, error.lineno, error.msg
    elif frames:
        file, line, said = Path(frames[-1].filename).name, frames[-1].lineno, str(error)
    else:
        file, line, said = "task.py", getattr(error, "lineno", None), str(error)
    place = f"{folder / file}, line {line}" if line else str(folder / file)
    return " ".join(f"{place}: {type(error).__name__}: {said}".split())


def _belongs(filename: str, folder: Path) -> bool:
    path = Path(filename)
    return path.is_relative_to(folder) or path.parent == folder.parent
