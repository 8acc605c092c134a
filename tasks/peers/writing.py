"""The ``task.py`` of an imported task."""

from __future__ import annotations

from dataclasses import dataclass

from ...evaluators.syntax import code_size
from .forms import Form

SMALLER, LARGER = 4, 10
"""How far the axis of code sizes reaches below and above the program that the search begins with."""
YEAR = 2025
"""When the forms were published."""


@dataclass(frozen=True)
class Plan:
    """What is known of an imported task. ``peer`` to ``unit`` are Python expressions, ``imports`` its packages."""

    name: str
    form: Form
    shared: bool
    files: tuple[str, ...]
    folder: str
    peer: str
    instances: str
    judge: str
    drive: str
    entry: str
    statement: str
    objective: str
    unit: str
    imports: tuple[str, ...]
    own_imports: tuple[str, ...]
    """Of the standard library, which its program imports although programs need not."""
    baseline: str


def render(plan: Plan) -> dict[str, str]:
    """The files of the folder that are ours: name -> text."""
    return {"task.py": _TASK.format_map(_values(plan)), "baseline.py": plan.baseline}


def _values(plan: Plan) -> dict[str, object]:
    size = code_size(plan.baseline)
    whose = plan.peer.partition("(")[0]
    ours = [whose, "LIMITS", *(["SCORE", "instances", "judge"] if plan.drive else [])]
    return {
        "files": " and ".join(plan.files),
        "form": plan.form.value,
        "folder": plan.folder,
        "trust": _SHARED if plan.shared else _APART,
        "measure": "    Measure,\n" if "Measure." in plan.objective else "",
        "names": ", ".join(sorted(set(ours), key=str.lower)),
        "statement": _quoted(plan.statement),
        "peer": plan.peer,
        "id": plan.name,
        "title": f"{plan.name}, imported from {plan.form.value}'s form",
        "year": YEAR,
        "entry": plan.entry,
        "instances": plan.instances,
        "judge": plan.judge,
        "drive": f"    drive={plan.drive},\n" if plan.drive else "",
        "objective": plan.objective,
        "unit": plan.unit,
        "low": max(1, size // SMALLER),
        "high": size * LARGER,
        "imports": tuple(dict.fromkeys([*plan.imports, *plan.own_imports])),
        "suspicious": "" if "log" in plan.unit else "    suspicious_ratio=math.inf,  # nothing is known of its scale\n",
        "shared": "    shared=True,\n" if plan.shared else "",
    }


def _quoted(text: str) -> str:
    """The statement as lines of Python, each a literal."""
    return "\n".join(f"    {line!r}" for line in text.strip().splitlines(keepends=True))


_APART = "Programs run apart from it, in a jail of their own."
_SHARED = """Programs run in one process with it, as
its form wants it: a program can forge its score, and results are only as trusted as their evaluator."""

_TASK = '''"""Imported from {files}, in {form}'s form; theirs is unchanged in {folder}/.

What judges runs in a jail. {trust}
There is no reference here: 0 is the program that the search begins with, and `unit` says what counts as 1.
"""

import math
from pathlib import Path

from speciate.evaluators import (
    Descriptor,
    Direction,
    Entry,
{measure}    Objective,
    Paper,
    Task,
    TaskLimits,
    Unit,
)
from speciate.tasks.peers import {names}

FOLDER = Path(__file__).parent / "{folder}"
STATEMENT = (
{statement}
)

peer = {peer}

task = Task(
    id={id!r},
    family="imported",
    title={title!r},
    paper=Paper("a task in {form}'s form", {year}),
    entry=Entry({entry!r}),
    statement=STATEMENT,
    instances={instances},
    judge={judge},
{drive}    objective={objective},
    unit={unit},
    descriptors=(
        Descriptor("code_size", {low}, {high}, scale="log"),
        Descriptor("cpu_seconds", 0.001, 60, scale="log"),
    ),
    limits=TaskLimits(run=LIMITS, imports={imports!r}),
{shared}{suspicious})
'''
