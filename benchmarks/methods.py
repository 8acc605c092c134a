"""Search methods on many tasks: evolution against random search and (1+1) hill climbing under one budget.

``python -m speciate.benchmarks.methods OUT --evaluations 1000 --seeds 5 [TASK...]``; finished runs in OUT are kept and
broken ones resumed, so the sweep can be stopped at any time. With ``--table`` it only prints what OUT holds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from ..archive import is_run
from ..discovery import load_config
from ..discovery.comparison import Estimate, Interrupted, Row, finish, rows, trial
from ..discovery.methods import configured
from .search import state_of

METHODS = ("evolution", "random", "hill_climbing")

TASKS = (
    "adahessian_scale_free",
    "alf_lb_online_dual",
    "alphaevolve_geometry",
    "autonumerics_zero",
    "fasterpam",
    "krylov_recycling_skr",
    "lion_search",
    "multifidelity_bo",
    "nesterov_worst_case",
    "streaming_bandit",
    "subgm_small_init",
    "zo_rank_sgd",
)
"""Of twelve families."""


@dataclass(frozen=True, slots=True)
class Sweep:
    out: Path
    tasks: tuple[str, ...]
    evaluations: int
    seeds: int

    def directory(self, task: str, method: str, seed: int) -> Path:
        return self.out / Path(task).name / f"{method}-seed{seed}"

    def runs(self) -> Iterator[tuple[str, str, int]]:
        """Task, method and seed; seeds are the outer loop, so that a sweep that is cut short is level."""
        for seed in range(self.seeds):
            for task in self.tasks:
                for method in METHODS:
                    yield task, method, seed


def run(sweep: Sweep, task: str, method: str, seed: int) -> bool:
    """Finish one run, on one core. Returns whether it ended, and was not interrupted."""
    base = load_config(None, budget__evaluations=sweep.evaluations, workers=1, seed=seed)
    try:
        finish(task, configured(method, base), sweep.directory(task, method, seed))
    except (Interrupted, KeyboardInterrupt):
        return False
    return True


def run_all(sweep: Sweep, jobs: int) -> bool:
    """All runs, ``jobs`` at once, with a line for each that has ended. Returns whether all ended."""
    asked = list(sweep.runs())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        names: dict[Future[bool], str] = {
            pool.submit(run, sweep, *one): f"{one[0]}, {one[1]}, seed {one[2]}" for one in asked
        }
        for count, future in enumerate(as_completed(names), 1):
            if not future.result():
                pool.shutdown(cancel_futures=True)
                return False
            sys.stderr.write(f"{count}/{len(names)} {names[future]}\n")
    return True


def ended(directory: Path) -> bool:
    return is_run(directory) and state_of(directory).stopped not in (None, "interrupted")


def found(sweep: Sweep, task: str) -> list[Row]:
    """One row for each method, over the seeds that all methods have finished; none where there is no such seed."""
    seeds = [s for s in range(sweep.seeds) if all(ended(sweep.directory(task, method, s)) for method in METHODS)]
    trials = [trial(method, sweep.directory(task, method, seed)) for seed in seeds for method in METHODS]
    return rows(trials, sweep.evaluations) if trials else []


def table(sweep: Sweep) -> Iterator[str]:
    """Lines of Markdown. A difference is evolution's score minus the method's, paired by seed."""
    evolution, *others = METHODS
    heads = ["task", "seeds", evolution, *others, *(f"ahead of {name} by" for name in others), "certified, fresh score"]
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    ahead = dict.fromkeys(others, 0)
    for task in sweep.tasks:
        by_method = {row.method: row for row in found(sweep, task)}
        if not by_method:
            continue
        first = by_method[evolution]
        leads = [_lead(by_method[name]) for name in others]
        for name, lead in zip(others, leads, strict=True):
            ahead[name] += lead.interval is not None and lead.interval.low > 0
        cells = [task, str(first.seeds), *(f"{by_method[name].best.mean:.3f}" for name in METHODS)]
        cells += [*map(_text, leads), f"{first.certified} of {first.seeds}, {_text(first.fresh)}"]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "Ahead with an interval above 0: " + ", ".join(f"of {name} on {n}" for name, n in ahead.items()) + " tasks."


def _lead(row: Row) -> Estimate:
    """Of the first method over that of the row."""
    assert row.difference is not None
    mean, interval = row.difference.mean, row.difference.interval
    turned = interval and interval.model_copy(update={"low": -interval.high, "high": -interval.low})
    return Estimate(-mean, turned)


def _text(estimate: Estimate) -> str:
    span = estimate.interval
    return f"{estimate.mean:.3f}" + (f" [{span.low:.3f}, {span.high:.3f}]" if span else "")


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--evaluations", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="runs at once, one core each")
    parser.add_argument("--table", action="store_true", help="only print the table of what has ended")
    return parser.parse_args(arguments)


def main() -> None:
    options = parsed()
    sweep = Sweep(options.out, tuple(options.tasks), options.evaluations, options.seeds)
    complete = options.table or run_all(sweep, options.jobs)
    print("\n".join(table(sweep)))
    if not complete:
        sys.exit(130)


if __name__ == "__main__":
    main()
