"""What isolation and the engine cost: CPU per candidate of the whole process tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .tree import tree_cpu

WORKLOAD = Path(__file__).parent / "workload"
WARM_UP = 5


def measure(candidates: int, engine: tuple[int, ...], progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Rows of {what, candidates, cpu_ms, ratio, memory_mb}; ``ratio`` is to a bare fork in the same run."""
    source = (WORKLOAD / "baseline.py").read_text()
    rows: list[dict[str, Any]] = []
    for what, once in (
        ("no isolation", _in_process(source)),
        ("bare fork", _forked(source)),
    ):
        progress(f"measuring {what}")
        rows.append(_row(what, candidates, _cpu_ms(once, candidates), None))
    progress("measuring full isolation")
    rows.append(_row("full isolation", candidates, _jailed(source, candidates), None))
    for count in engine:
        progress(f"measuring the engine at {count} candidates")
        cost, memory = _engine(count)
        rows.append(_row("whole engine", count, cost, memory))
    bare = next(row["cpu_ms"] for row in rows if row["what"] == "bare fork")
    return [row | {"ratio": row["cpu_ms"] / bare} for row in rows]


def _row(what: str, candidates: int, cpu_ms: float, memory_mb: float | None) -> dict[str, Any]:
    return {"what": what, "candidates": candidates, "cpu_ms": cpu_ms, "memory_mb": memory_mb}


def _vector() -> np.ndarray:
    return np.random.default_rng(0).normal(size=256)


def _in_process(source: str) -> Callable[[], object]:
    x = _vector()

    def once() -> object:
        names: dict[str, Any] = {}
        exec(compile(source, "workload", "exec"), names)
        return names["work"](x)

    return once


def _forked(source: str) -> Callable[[], object]:
    run = _in_process(source)

    def once() -> None:
        child = os.fork()
        if child == 0:
            run()
            os._exit(0)
        os.waitpid(child, 0)

    return once


def _cpu_ms(once: Callable[[], object], count: int) -> float:
    for _ in range(WARM_UP):
        once()
    before = tree_cpu(os.getpid())
    for _ in range(count):
        once()
    return (tree_cpu(os.getpid()) - before) / count * 1e3


def _jailed(source: str, count: int) -> float:
    """Milliseconds of CPU per candidate, jail and supervisor included, the jail's start left out."""
    from ..sandbox import Limits, SandboxSpec, open_sandbox

    x = _vector()
    with open_sandbox(SandboxSpec()) as sandbox:

        def once() -> None:
            with sandbox.process({"program.py": source}, Limits()) as process:
                process.call("work", {"x": x})

        return _cpu_ms(once, count)


def _engine(count: int) -> tuple[float, float]:
    """CPU milliseconds per candidate and the memory of the tree (MB, proportional set size)."""
    command = [sys.executable, "-m", "speciate.benchmarks.engine", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    return measured["cpu_ms"], measured["memory_mb"]
