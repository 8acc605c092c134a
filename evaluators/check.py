"""``speciate check``: is a task sound, and does the paper's method beat the standard one on fresh instances?"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from pydantic import Field

from ..sandbox import Sandbox
from .calibration import Calibration, calibrate
from .evaluation import Evaluation, Interval, Record, State
from .evaluator import Evaluator
from .lint import lint
from .loader import TaskError, TaskFolder
from .scoring import mean_interval
from .seeds import instance_rng
from .task import Size
from .trial import MAIN

STANDARD_ERRORS = 3.0
FRESH_SETS = 2
"""Sets of fresh instances whose gains are pooled."""


class CheckResult(Record):
    """``margin`` is the reference's mean gain over the baseline (log ratio or difference), with its 95 % interval.

    ``known`` holds the scores of simple methods outside the paper, ``cpu_seconds`` is what the baseline takes for all
    instances of one draw. ``digest`` covers the task's files.
    """

    task: str
    digest: str
    size: Size
    seed: int
    ok: bool
    baseline: float | None = None
    reference: float | None = None
    margin: float | None = None
    margin_interval: Interval | None = None
    known: dict[str, float | None] = Field(default_factory=dict)
    claim: str
    cpu_seconds: float | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def margin_text(self) -> str:
        if self.margin is None or self.margin_interval is None:
            return "-"
        return f"{self.margin:.3g} [{self.margin_interval.low:.3g}, {self.margin_interval.high:.3g}]"


def check_task(folder: TaskFolder, sandbox: Sandbox, size: Size = "default", seed: int = 0) -> CheckResult:
    """Lint the task, then measure both programs on fresh instances of ``seed``.

    A task without a reference claims nothing: its baseline must be VALID, and cheats must not pay.
    Smoke instances are too few and small for the paper's claim: there the reference need only be ahead.
    Raises: SandboxError.
    """
    began = time.monotonic()
    task = folder.task
    asked: dict[str, Any] = {"task": task.id, "digest": folder.digest, "size": size, "seed": seed, "claim": task.claim}
    problems = lint(folder)
    if problems:
        return CheckResult(**asked, ok=False, reason=problems[0])
    secrets = [f"check {seed} {index}".encode() for index in range(FRESH_SETS)]
    try:
        sets = [calibrate(folder, sandbox, secret, size) for secret in secrets]
    except TaskError as error:
        return CheckResult(**asked, ok=False, reason=str(error), seconds=time.monotonic() - began)
    gains = [gain for calibration in sets for gain in calibration.gains]
    claimed = size == "smoke" or _is_ahead(gains)
    reason = "" if claimed else "the reference is not three standard errors ahead of the baseline"
    reason = reason or _cheats(folder, sandbox, secrets[0], sets[0], size)
    return CheckResult(
        **asked,
        ok=not reason,
        baseline=sets[0].baseline_value,
        reference=sets[0].reference_value if gains else None,
        margin=float(np.mean(gains)) if gains else None,
        margin_interval=mean_interval(gains) if gains else None,
        known=_known(folder, sandbox, secrets[0], sets[0], size),
        cpu_seconds=sum(sets[0].baseline_cpu.values()) / sets[0].sets,
        reason=reason,
        seconds=time.monotonic() - began,
    )


def _is_ahead(gains: list[float]) -> bool:
    """Whether the reference's gains are above 0 by three standard errors; so are none, of a task without one."""
    error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5 if len(gains) > 1 else 0.0
    return not gains or float(np.mean(gains)) > STANDARD_ERRORS * error


def _evaluate(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration, source: str, size: Size
) -> Evaluation:
    return Evaluator(folder, sandbox, secret, calibration).evaluate({MAIN: source}, "check", size=size)


def _known(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration, size: Size
) -> dict[str, float | None]:
    return {
        name: _evaluate(folder, sandbox, secret, calibration, source, size).score
        for name, source in folder.known.items()
    }


def _cheats(folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration, size: Size) -> str:
    """The first generic cheat that gets a score above 0, in words; empty where none does."""
    from .probes import cheats

    rng = instance_rng(secret, "cheats", size, None)
    for name, source in cheats(folder, sandbox, rng):
        evaluation = _evaluate(folder, sandbox, secret, calibration, source, size)
        if evaluation.state is State.VALID and evaluation.score is not None and evaluation.score > 0:
            return f"the cheat '{name}' gets a score of {evaluation.score:.3g}"
    return ""
