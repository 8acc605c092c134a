"""What a process and all its descendants use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 11, 12, 13, 14
"""Places in /proc/PID/stat after the command's closing bracket."""


def family(pid: int) -> Iterator[int]:
    """The process and its living descendants."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def tree_cpu(pid: int) -> float:
    """CPU seconds of the living family and of all that it has reaped; resolution one clock tick."""
    total = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[place]) for place in (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM))
    return total * TICK


def tree_memory(pid: int) -> int:
    """Proportional set size in bytes: pages shared by several processes count once."""
    total = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total
