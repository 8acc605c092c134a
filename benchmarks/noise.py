"""Does the clock invent differences? A program against itself, with and without another process on a core.

``python -m speciate.benchmarks.noise [TASK] [--repetitions 100]`` scores other spellings of the baseline, each on fresh
instances: the true score is 0, and the 95 % interval has to hold it in at least 95 of 100 repetitions.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluators import Evaluation, Evaluator, TaskFolder, calibrate, load_task
from ..evaluators.trial import MAIN
from ..sandbox import Backend, Sandbox, open_sandbox

CLOCKED = Path(__file__).parent / "clocked"


@dataclass(frozen=True, slots=True)
class Coverage:
    """``covered`` of ``repetitions`` intervals hold 0; ``spread`` is the scores' standard deviation, ``width`` the
    median width of the intervals."""

    repetitions: int
    covered: int
    spread: float
    width: float


def respelled(source: str, number: int) -> str:
    """The same program with another identity: one more module-level name."""
    return f"{source}\nSPELLING = {number}\n"


@contextlib.contextmanager
def burner() -> Iterator[None]:
    """Another process that keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def coverage(folder: TaskFolder, sandbox: Sandbox, repetitions: int, secret: bytes = b"noise") -> Coverage:
    """Score ``repetitions`` spellings of the baseline. Raises: TaskError; RuntimeError where one is not VALID."""
    evaluator = Evaluator(folder, sandbox, secret, calibrate(folder, sandbox, secret))
    found = [
        _scored(evaluator.evaluate({MAIN: respelled(folder.baseline, number)}, f"spelling {number}"))
        for number in range(repetitions)
    ]
    scores, lows, highs = np.array(found).T
    covered = int(((lows <= 0) & (highs >= 0)).sum())
    return Coverage(repetitions, covered, float(scores.std(ddof=1)), float(np.median(highs - lows)))


def _scored(evaluation: Evaluation) -> tuple[float, float, float]:
    if evaluation.score is None or evaluation.interval is None:
        raise RuntimeError(f"the respelled baseline is {evaluation.state.value}: {evaluation.feedback}")
    return evaluation.score, evaluation.interval.low, evaluation.interval.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", default=str(CLOCKED))
    parser.add_argument("--repetitions", type=int, default=100)
    options = parser.parse_args()
    folder = load_task(options.task)
    if not folder.task.objective.measure.timed:
        parser.error(f"the objective of '{folder.task.id}' is not clocked")
    print("| machine | repetitions | intervals with 0 | standard deviation of the score | median width |")
    print("| --- | --- | --- | --- | --- |")
    with open_sandbox(folder.spec(Backend.BUBBLEWRAP)) as sandbox:
        for name, around in (("as it is", contextlib.nullcontext()), ("one core burnt", burner())):
            with around:
                found = coverage(folder, sandbox, options.repetitions)
            row = (name, str(found.repetitions), str(found.covered), f"{found.spread:.4f}", f"{found.width:.4f}")
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
