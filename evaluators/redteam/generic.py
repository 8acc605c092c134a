"""What can be tried on any task: empty answers, exits, constant, identity and random output, hostile preludes."""

from __future__ import annotations

from collections.abc import Iterator

from ...sandbox import Sandbox
from ..calibration import MAIN, Calibration, calibrate
from ..evaluation import Evaluation, State
from ..evaluator import Evaluator
from ..loader import TaskFolder
from ..probes import cheats
from ..seeds import instance_rng
from ..task import Size
from .exploit import Finding
from .preludes import EXITS, PRELUDES

GENERIC = {
    "G1": "constant, identity, random output, the output for another instance",
    "G2": "exits and forged frames instead of a reply",
    "G3": "hostile text before the baseline",
}
SECRET = b"of the red team on a task"
CLOCKED_TOLERANCE = 0.3
"""Of a score, by which two runs of one program may differ on a task whose objective is a time."""


def attack_task(
    folder: TaskFolder, sandbox: Sandbox, only: str | None = None, size: Size = "default"
) -> Iterator[Finding]:
    """Try all that applies to one task, or only the id given. Raises: TaskError where the task has no scale here."""
    calibration = calibrate(folder, sandbox, SECRET, size)
    evaluator = Evaluator(folder, sandbox, SECRET, calibration)
    baseline = evaluator.evaluate({MAIN: folder.baseline}, "control", size=size)
    yield Finding(
        id="C1", name="the baseline", expected="valid", got=baseline.state, held=baseline.state is State.VALID
    )
    if only in (None, "G1"):
        yield from cheats_of(folder, sandbox, SECRET, calibration, size)
    if only in (None, "G2"):
        for name, source in EXITS.items():
            evaluation = evaluator.evaluate({MAIN: source + _entries(folder)}, "exit", size=size)
            yield _finding("G2", name, "no score", evaluation, evaluation.score is None)
    if only in (None, "G3"):
        ceiling = (baseline.score or 0.0) + (CLOCKED_TOLERANCE if folder.task.objective.measure.timed else 1e-9)
        for name, source in PRELUDES.items():
            evaluation = evaluator.evaluate({MAIN: source + folder.baseline}, "prelude", size=size)
            yield _finding("G3", name, f"no score above {ceiling:.3g}", evaluation, not _above(evaluation, ceiling))


def cheats_of(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration, size: Size = "default"
) -> Iterator[Finding]:
    """Constant, identity, random output and the output for another instance: none may score above 0."""
    evaluator = Evaluator(folder, sandbox, secret, calibration)
    for name, source in cheats(folder, sandbox, instance_rng(secret, "cheats", size, None)):
        evaluation = evaluator.evaluate({MAIN: source}, name, size=size)
        title = f"{folder.task.id}: {name}"
        yield _finding("G1", title, "no score above 0", evaluation, not _above(evaluation, 0.0))


def _above(evaluation: Evaluation, ceiling: float) -> bool:
    return evaluation.score is not None and not evaluation.score <= ceiling


def _finding(id: str, name: str, expected: str, evaluation: Evaluation, held: bool) -> Finding:
    got = evaluation.state if evaluation.score is None else f"{evaluation.state} {evaluation.score:.3g}"
    return Finding(id=id, name=name, expected=expected, got=got, held=held and evaluation.state is not State.INFRA)


def _entries(folder: TaskFolder) -> str:
    return "".join(f"\ndef {name}(**inputs):\n    end()\n" for name in folder.task.entry.functions)
