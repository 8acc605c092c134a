"""Exploits against a device's memory and clock: on the first GPU, or with the CPU in its place.

Without a GPU the same lines of the sandbox run, and only what CUDA itself does is not tried.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ....sandbox import Backend, NoJail, open_sandbox
from ....sandbox.device import gpus
from ...calibration import MAIN, calibrate
from ...evaluation import Evaluation, State
from ...evaluator import Evaluator
from ...loader import load_task
from ..attacks import at_most, said_of
from ..exploit import Attack, Outcome
from ..lab import Lab, Program

SECRET = b"of the red team's device"
NOISE = 0.5
"""Of a score, where 1 is ten times as fast as the loop, and no work on the clock would be far more."""

LOOP = """
import torch
def work(X):
    out = torch.zeros(len(X), device=X.device)
    for _ in range(16):
        for j in range(X.shape[1]): out += X[:, j] * X[:, j] / 16
    return out
"""
HONEST = LOOP + "def norms(X): return work(X)\n"


class DeviceLab:
    """The red team's task on a device, open as long as somebody holds it. Raises: NoJail, SandboxError."""

    def __init__(self) -> None:
        folder = load_task(str(Path(__file__).parent / "norms"))
        self.device = "cuda" if gpus() else "cpu"
        sandbox = open_sandbox(folder.spec(Backend.BUBBLEWRAP if gpus() else Backend.CPU_DEVICE))
        weakref.finalize(self, sandbox.close)
        self._evaluator = Evaluator(folder, sandbox, SECRET, calibrate(folder, sandbox, SECRET))

    def score(self, program: Program) -> Evaluation:
        files = {MAIN: program} if isinstance(program, str) else dict(program)
        return self._evaluator.evaluate(files, "redteam")

    @cache  # noqa: B019 - the lab lives as long as the suite
    def honest(self) -> float:
        return self.score(HONEST).score or 0.0


@dataclass(frozen=True, slots=True)
class OnDevice:
    """None of the programs scores more than the honest loop, whatever it does to clocks, streams and memory."""

    programs: tuple[str, ...]

    def mount(self, lab: Lab) -> Outcome:
        try:
            device = lab.shared("device", DeviceLab)
        except NoJail as error:
            return Outcome("no score above the honest one", f"skipped: {error}", None)
        ceiling = device.honest() + NOISE
        found = [device.score(program) for program in self.programs]
        held = all(at_most(one, ceiling) and one.state is not State.INFRA for one in found)
        return Outcome(f"no score above {ceiling:.3g} on {device.device}", said_of(found), held)


@dataclass(frozen=True, slots=True)
class Both:
    """One exploit in host memory and on a device: it is held where both are."""

    host: Attack
    device: Attack

    def mount(self, lab: Lab) -> Outcome:
        one, other = self.host.mount(lab), self.device.mount(lab)
        held = one.held if other.held is None else one.held and other.held
        return Outcome(f"{one.expected}; {other.expected}", f"{one.got}; {other.got}", held)
