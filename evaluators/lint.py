"""What can be said of a task without running its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..sandbox.inside.wire import WireError, encode
from .loader import TaskFolder
from .source import END, START, check_source
from .task import Size
from .trial import MAIN

CHECKED_SIZES: tuple[Size, ...] = ("smoke", "default")
LONG_LINE = 40
"""Characters of a reference's line beyond which finding it in the statement gives the trick away."""


def lint(folder: TaskFolder) -> list[str]:
    """Problems in words, the most basic first; empty for a sound task."""
    return list(_problems(folder))


def _problems(folder: TaskFolder) -> Iterator[str]:
    task = folder.task
    own = {f"{name}.py": source for name, source in folder.programs.items()}
    for name, source in (*own.items(), *folder.known.items()):
        yield from (f"{name}: {problem}" for problem in check_source(task, {MAIN: source}))
    markers = re.findall(rf"#\s*({START}|{END})", folder.baseline)
    if not markers:
        yield f"baseline.py has no '# {START}' and '# {END}' around what may change"
    elif markers != [START, END] * (len(markers) // 2):
        yield f"in baseline.py each '# {START}' needs one '# {END}' after it"
    yield from _given_away(folder)
    for size in CHECKED_SIZES:
        yield from _instances(folder, size)


def _given_away(folder: TaskFolder) -> Iterator[str]:
    reference = folder.reference or ""
    lines = {line.strip() for line in reference.splitlines() if len(line.strip()) > LONG_LINE}
    for line in lines - {line.strip() for line in folder.baseline.splitlines()}:
        if line in folder.task.statement:
            yield f"the statement holds a line of the reference: {line}"


def _instances(folder: TaskFolder, size: Size) -> Iterator[str]:
    first, again = (folder.task.instances(np.random.default_rng(7), size) for _ in range(2))
    if size == "default" and not first:
        yield "instances(rng, 'default') returns none"
    names = [instance.name for instance in first]
    if len(set(names)) != len(names):
        yield f"two instances of size '{size}' have the same name"
    if names != [instance.name for instance in again]:
        yield f"instances(rng, '{size}') gives other instances for the same generator"
    for one, other in zip(first, again, strict=False):
        try:
            same = b"".join(map(bytes, encode(dict(one.inputs)))) == b"".join(map(bytes, encode(dict(other.inputs))))
        except WireError as error:
            yield f"the inputs of instance '{one.name}' are no plain data: {error}"
            return
        if not same:
            yield f"instance '{one.name}' is not determined by the generator that instances() is given"
