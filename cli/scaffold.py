"""A small working task, written into a user's folder to be changed."""

from __future__ import annotations

import shutil
from pathlib import Path

TEMPLATE = Path(__file__).parent / "template"


def scaffold(directory: Path) -> None:
    """Copy the template; the task is named after the folder. Raises: OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in sorted(TEMPLATE.glob("*.py")):
        shutil.copyfile(file, directory / file.name)
    definition = directory / "task.py"
    name = "".join(letter if letter.isalnum() else "_" for letter in directory.resolve().name)
    definition.write_text(definition.read_text().replace('"my_task"', f'"{name}"'))
