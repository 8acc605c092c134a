"""A small working task, written into a user's folder to be changed."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).parent / "template"


def scaffold(directory: Path) -> None:
    """Write the template's files; the task is named after the folder. Raises: OSError, and leaves no half of it."""
    name = "".join(letter if letter.isalnum() else "_" for letter in directory.resolve().name)
    texts = {file.name: file.read_text() for file in sorted(TEMPLATE.glob("*.py"))}
    texts["task.py"] = texts["task.py"].replace('"my_task"', f'"{name}"')
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for file, text in texts.items():
            (directory / file).write_text(text)
    except OSError:
        for file in texts:
            (directory / file).unlink(missing_ok=True)
        raise
