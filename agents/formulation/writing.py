"""A draft as a task folder: task.py holds the model's words as data, the code is in files of its own."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from ...evaluators.jailed import PROBLEM
from ..llm.prompts import environment
from .record import CODE, Draft, Module

TEMPLATES = Path(__file__).parent / "templates"
ELEMENTS = "formulation.md"
FILES = ("task.py", ELEMENTS, *CODE)


def write(folder: Path, draft: Draft, task_id: str) -> None:
    """Raises: OSError."""
    values = {
        "f": draft.formulation,
        "task_id": task_id,
        "statement": draft.formulation.statement.splitlines(keepends=True),
        "warm": _imported(draft.code[PROBLEM]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in draft.code.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("task.py", ELEMENTS):
        (folder / name).write_text(render(name, **values), encoding="utf-8")


def render(template: str, **values: object) -> str:
    return environment(TEMPLATES).get_template(f"{template}.j2").render(**values).strip() + "\n"


def _imported(code: str) -> list[str]:
    """The packages that problem.py needs in its jail, and which of their modules are imported there beforehand."""
    return ["numpy", "scipy", *(name for name in get_args(Module) if name.startswith("scipy.") and name in code)]
