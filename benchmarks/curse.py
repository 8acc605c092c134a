"""Winner's curse: one program in thousands of spellings must not look better than it is.

``python -m speciate.benchmarks.curse [TASK] [--submissions 2000]`` runs the whole engine on respellings of a clocked
task's baseline. Whatever leads the search by luck, the certified score has to stay at 0: no certificate may hold.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..agents.scripted import ScriptedProposer
from ..archive import Added, AddStatus, Journal, Remeasured, RunState
from ..discovery import load_config
from ..discovery.run import start
from ..evaluators import TaskFolder, load_task
from .noise import CLOCKED, respelled


@dataclass(frozen=True, slots=True)
class Curse:
    """``luckiest`` is the highest first score of all submissions, ``leading`` the score of the run's best program.

    ``certificates`` are the scores on fresh instances with the lower ends of their intervals; ``certified`` says
    whether one holds.
    """

    submissions: int
    remeasured: int
    displaced: int
    luckiest: float
    leading: float
    certificates: tuple[tuple[float, float], ...]
    certified: bool


def curse(folder: TaskFolder, submissions: int, directory: Path) -> Curse:
    """A run of ``submissions`` respellings in ``directory``. Raises: as ``discovery.run.start``."""
    proposer = ScriptedProposer(lambda index: respelled(folder.baseline, index))
    config = load_config(None, budget__evaluations=submissions + 1, islands__count=1)
    start(str(folder.path), config, directory, proposer=proposer)
    return told(directory)


def told(directory: Path) -> Curse:
    """What the journal of such a run tells."""
    state, remeasured, displaced, luckiest = RunState(), 0, 0, 0.0
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        for _, _, event in journal.events():
            state.apply(event)
            if isinstance(event, Remeasured):
                remeasured += 1
                luckiest = max(luckiest, event.first.score or 0.0)
            elif isinstance(event, Added) and event.status is AddStatus.IMPROVED:
                displaced += 1
    scores = [state.evaluation_of(program).score or 0.0 for program in state.programs]
    best = state.best
    certificates = [one for one in state.certificates.values() if one.interval is not None and one.score is not None]
    return Curse(
        submissions=state.evaluations - 1,
        remeasured=remeasured,
        displaced=displaced,
        luckiest=max(luckiest, *scores),
        leading=0.0 if best is None else best[1].score or 0.0,
        certificates=tuple((one.score or 0.0, one.interval.low if one.interval else 0.0) for one in certificates),
        certified=state.certified_best is not None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", default=str(CLOCKED))
    parser.add_argument("--submissions", type=int, default=2000)
    options = parser.parse_args()
    folder = load_task(options.task)
    if not folder.task.objective.measure.timed:
        parser.error(f"the objective of '{folder.task.id}' is not clocked")
    with tempfile.TemporaryDirectory() as scratch:
        found = curse(folder, options.submissions, Path(scratch) / "run")
    for name, value in (
        ("submissions of one program", found.submissions),
        ("highest first score", f"{found.luckiest:.4f}"),
        ("timed again with the elite", found.remeasured),
        ("elites displaced", found.displaced),
        ("score of the best in the search", f"{found.leading:.4f}"),
        ("highest score on a certificate", f"{max((one for one, _ in found.certificates), default=0.0):.4f}"),
        ("a certificate holds", "yes" if found.certified else "no"),
    ):
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
