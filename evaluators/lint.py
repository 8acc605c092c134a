"""What can be said of a task without running its programs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..sandbox.inside.wire import WireError, encode
from .loader import TaskFolder
from .source import check_kept, check_source
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
    if not task.entry.functions:
        yield "the entry's signature is not Python: write it as 'def name(x: type) -> type'"
    if not task.statement.strip():
        yield "the statement is empty"
    for axis in task.descriptors:
        if not axis.low < axis.high or axis.bins < 1 or (axis.scale == "log" and axis.low <= 0):
            yield f"descriptor '{axis.name}' needs low < high, at least one bin, and low > 0 on a log scale"
    for name, source in (("baseline.py", folder.baseline), ("reference.py", folder.reference), *folder.known.items()):
        yield from (f"{name}: {problem}" for problem in check_source(task, {MAIN: source}))
    if "EVOLVE-BLOCK-START" not in folder.baseline:
        yield "baseline.py has no '# EVOLVE-BLOCK-START' and '# EVOLVE-BLOCK-END' around what may change"
    yield from check_kept(folder.baseline, folder.baseline)
    yield from _given_away(folder)
    for size in CHECKED_SIZES:
        yield from _instances(folder, size)


def _given_away(folder: TaskFolder) -> Iterator[str]:
    lines = {line.strip() for line in folder.reference.splitlines() if len(line.strip()) > LONG_LINE}
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
    for one, other in zip(first, again, strict=False):
        try:
            same = b"".join(map(bytes, encode(dict(one.inputs)))) == b"".join(map(bytes, encode(dict(other.inputs))))
        except WireError as error:
            yield f"the inputs of instance '{one.name}' are no plain data: {error}"
            return
        if not same:
            yield f"instance '{one.name}' is not determined by the generator that instances() is given"
