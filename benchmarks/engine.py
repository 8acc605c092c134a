"""One run of the whole engine with scripted proposals: ``python -m speciate.benchmarks.engine CANDIDATES``."""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from ..agents.scripted import ScriptedProposer
from ..archive import Evaluated, Event, RunState
from ..discovery import Budget
from ..discovery.config import BudgetSettings, RunConfig
from ..discovery.run import start
from .isolation import WORKLOAD
from .tree import tree_cpu, tree_memory

MB = 1 << 20
WARM_UP = 20
"""Evaluations before the measurement, for imports, jails and calibration."""


class Probe:
    """An observer that reads the tree's CPU after the warm-up and at the end, and its memory at the end."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._before: tuple[int, float] | None = None
        self.cpu_ms: float | None = None
        self.memory_mb: float | None = None

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        if not isinstance(event, Evaluated):
            return
        if self._before is None and state.evaluations >= WARM_UP:
            self._before = state.evaluations, tree_cpu(os.getpid())
        elif self._before is not None and state.evaluations == WARM_UP + self._count:
            count, cpu = self._before
            self.cpu_ms = (tree_cpu(os.getpid()) - cpu) / (state.evaluations - count) * 1e3
            self.memory_mb = tree_memory(os.getpid()) / MB


@functools.cache
def _workload() -> str:
    return (WORKLOAD / "baseline.py").read_text()


def program(index: int) -> str:
    """The ``index``-th scripted program: the workload with its own merit and place."""
    merit, place = np.random.default_rng(index).random(2)
    return _workload().replace("MERIT = 0.0", f"MERIT = {merit}").replace("PLACE = 0.0", f"PLACE = {place}")


def main() -> None:
    count = int(sys.argv[1])
    config = RunConfig(budget=BudgetSettings(evaluations=count + WARM_UP), certify=False)
    probe = Probe(count)
    with tempfile.TemporaryDirectory() as scratch:
        start(str(WORKLOAD), config, Path(scratch) / "run", observers=(probe,), proposer=ScriptedProposer(program))
    json.dump({"cpu_ms": probe.cpu_ms, "memory_mb": probe.memory_mb}, sys.stdout)


if __name__ == "__main__":
    main()
