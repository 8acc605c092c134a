"""What isolation and the engine cost: CPU per candidate of the whole process tree."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..sandbox import Backend, Limits, Sandbox, SandboxSpec, Tier, open_sandbox
from .layers import sandboxes
from .tree import tree_cpu

WORKLOAD = Path(__file__).parent / "workload"
PROGRAM = WORKLOAD / "baseline.py"
WARM_UP = 5
ROUNDS = 6
"""The kinds take turns, so that a change of the machine's load meets all of them."""

BARE = "bare fork"
CONTAINER = "docker container"


def measure(
    candidates: int, engine: tuple[int, ...], progress: Callable[[str], None], backend: Backend
) -> list[dict[str, Any]]:
    """Rows of {what, candidates, cpu_ms, ratio, memory_mb}; ``ratio`` is to a bare fork in the same run.

    The whole engine is measured with bubblewrap only: processes of containers are no family of ours.
    """
    with contextlib.ExitStack() as stack:
        opened = _sandboxes(backend, stack)
        roots = [os.getpid(), *(one.pid for one in opened.values() if one.tier is Tier.DOCKER)]
        # From one row to the next one thing is added.
        kinds = {
            "no isolation": _in_process(),
            BARE: stack.enter_context(_forks()),
            **{what: _in(sandbox) for what, sandbox in opened.items()},
        }
        costs = _take_turns(kinds, candidates, progress, roots)
    rows = [_row(what, candidates, cost, None) for what, cost in costs.items()]
    for count in engine if backend is Backend.BUBBLEWRAP else ():
        progress(f"measuring the engine at {count} candidates")
        cost, memory = _engine(count)
        rows.append(_row("whole engine", count, cost, memory))
    return [row | {"ratio": row["cpu_ms"] / costs[BARE]} for row in rows]


def _row(what: str, candidates: int, cpu_ms: float, memory_mb: float | None) -> dict[str, Any]:
    return {"what": what, "candidates": candidates, "cpu_ms": cpu_ms, "memory_mb": memory_mb}


def _take_turns(
    kinds: dict[str, Callable[[int], None]], count: int, progress: Callable[[str], None], roots: Sequence[int]
) -> dict[str, float]:
    """Milliseconds of CPU per candidate of each kind, over ``count`` candidates or a few more."""
    each = -(-count // ROUNDS)
    spent = dict.fromkeys(kinds, 0.0)
    for run in kinds.values():
        run(WARM_UP)
    for number in range(ROUNDS):
        progress(f"measuring isolation, round {number + 1} of {ROUNDS}")
        for what, run in kinds.items():
            before = sum(map(tree_cpu, roots))
            run(each)
            spent[what] += sum(map(tree_cpu, roots)) - before
    return {what: seconds / (each * ROUNDS) * 1e3 for what, seconds in spent.items()}


def _vector() -> np.ndarray:
    return np.random.default_rng(0).normal(size=256)


def _in_process() -> Callable[[int], None]:
    source, x = PROGRAM.read_text(), _vector()

    def run(count: int) -> None:
        for _ in range(count):
            names: dict[str, Any] = {}
            exec(compile(source, "workload", "exec"), names)
            names["work"](x)

    return run


@contextlib.contextmanager
def _forks() -> Iterator[Callable[[int], None]]:
    """Forks of a process that holds numpy only, with the environment of the sandbox."""
    from ..sandbox.jail import ENVIRONMENT

    command = [sys.executable, str(Path(__file__).parent / "fork.py"), str(PROGRAM)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ask, answer = process.stdin, process.stdout

        def run(count: int) -> None:
            ask.write(f"{count}\n")
            ask.flush()
            if answer.readline() != "done\n":
                raise RuntimeError("the process to be forked has ended")

        yield run


def _sandboxes(backend: Backend, stack: contextlib.ExitStack) -> dict[str, Sandbox]:
    if backend is Backend.BUBBLEWRAP:
        return stack.enter_context(sandboxes())
    return {CONTAINER: stack.enter_context(open_sandbox(SandboxSpec(backend=backend)))}


def _in(sandbox: Sandbox) -> Callable[[int], None]:
    """Candidates of a warm sandbox."""
    source, x = PROGRAM.read_text(), _vector()

    def run(count: int) -> None:
        for _ in range(count):
            with sandbox.process({"program.py": source}, Limits()) as process:
                process.call("work", {"x": x})

    return run


def _engine(count: int) -> tuple[float, float]:
    """CPU milliseconds per candidate and the memory of the tree (MB, proportional set size)."""
    command = [sys.executable, "-m", "speciate.benchmarks.engine", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    return measured["cpu_ms"], measured["memory_mb"]
