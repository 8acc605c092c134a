"""One run of the whole engine with scripted proposals: ``python -m speciate.benchmarks.engine CANDIDATES``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from ..agents.scripted import ScriptedProposer
from ..archive import Event, RunState
from ..discovery import Budget
from ..discovery.config import BudgetSettings, RunConfig
from ..discovery.run import start
from .isolation import WORKLOAD

MB = 1 << 20


def tree_memory(pid: int) -> int:
    """Proportional set size of a process and all its descendants, in bytes."""
    total = 0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return 0
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            total += int(line.split()[1]) * 1024
    return total + sum(tree_memory(int(child)) for child in children.split())


class MemoryProbe:
    """An observer that samples the tree's memory once, after ``count`` evaluations."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.bytes = 0

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        if not self.bytes and state.evaluations >= self._count:
            self.bytes = tree_memory(os.getpid())


def program(index: int) -> str:
    """The ``index``-th scripted program: the workload with its own merit and place."""
    merit, place = np.random.default_rng(index).random(2)
    source = (WORKLOAD / "baseline.py").read_text()
    return source.replace("MERIT = 0.0", f"MERIT = {merit}").replace("PLACE = 0.0", f"PLACE = {place}")


def main() -> None:
    count = int(sys.argv[1])
    config = RunConfig(budget=BudgetSettings(evaluations=count), certify=False)
    probe = MemoryProbe(count - 2)
    with tempfile.TemporaryDirectory() as scratch:
        outcome = start(
            str(WORKLOAD), config, Path(scratch) / "run", observers=(probe,), proposer=ScriptedProposer(program)
        )
    json.dump({"evaluations": outcome.evaluations, "memory_mb": probe.bytes / MB}, sys.stdout)


if __name__ == "__main__":
    main()
