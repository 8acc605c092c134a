"""What the search finds: runs of several tasks and seeds, and a table of their certified scores.

``python -m speciate.benchmarks.search OUT --evaluations 300 --seeds 3 [TASK...]``; finished runs in OUT are kept and
broken ones resumed, so the sweep can be stopped at any time.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from ..archive import Journal, RunState, replay
from ..discovery import load_config
from ..discovery.comparison import finish

FIRST_TASKS = (
    "alphaevolve_geometry",
    "sinkhorn_newton_sparse",
    "fasterpam",
    "autonumerics_zero",
    "lion_search",
    "alf_lb_online_dual",
)


def state_of(directory: Path) -> RunState:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return replay(journal)


def row(directory: Path) -> str:
    """One line of the Markdown table."""
    state = state_of(directory)
    best = state.certified_best or state.best
    assert state.started is not None
    cells = [state.started.task, str(state.started.seed), str(state.evaluations), str(state.valid)]
    if best is None:
        return "| " + " | ".join([*cells, "-", "-", "-"]) + " |"
    program, evaluation = best
    certificate = state.certificates.get(program)
    for scored in (evaluation, certificate):
        if scored is None or scored.score is None or scored.interval is None:
            cells.append("-")
        else:
            cells.append(f"{scored.score:.3f} [{scored.interval.low:.3f}, {scored.interval.high:.3f}]")
    cells.append(program[:12])
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("tasks", nargs="*", default=list(FIRST_TASKS))
    parser.add_argument("--evaluations", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("| task | seed | evaluations | valid | score in the search | score on fresh instances | program |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for task in options.tasks:
        for seed in range(options.seeds):
            sys.stderr.write(f"{task}, seed {seed}\n")
            directory = options.out / f"{task}-seed{seed}"
            finish(task, load_config(None, budget__evaluations=options.evaluations, seed=seed), directory)
            print(row(directory), flush=True)


if __name__ == "__main__":
    main()
