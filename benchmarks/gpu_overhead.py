"""What the sandbox adds to a kernel's time: the same work in a candidate's process and in a plain one.

The work takes about 100 ms on the device. In the plain process it is timed by the process itself between two
synchronisations; in the sandbox as every candidate is. What the way costs and what is taken off for it cancel where the
rehearsal is right, so that the difference is what isolation puts into a score.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from ..sandbox import Sandbox
from ..sandbox.device import Device
from ..tasks.gpu import GPU_LIMITS

REPEATS = 9
SIDE = 1024
_WORK = """
import torch
def work(x, steps):
    y = x.clone()
    for _ in range(steps):
        y = torch.tanh(y @ x)
    return y[:8].clone()
"""
_PLAIN = """
import statistics, sys, time
device, steps, repeats, side = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(1)
wait, clock = (torch.cuda.synchronize, time.perf_counter) if device == "cuda" else (lambda: None, time.process_time)
def once():
    x = torch.randn(side, side, device=device) / side**0.5
    wait()
    begin = clock()
    work(x, steps).cpu()
    wait()
    return clock() - begin
once()
print(statistics.median(once() for _ in range(repeats)))
"""


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds, medians; ``way`` is what was taken off of ``span``."""

    plain: float
    span: float
    way: float
    work: float

    @property
    def share(self) -> float:
        return self.work / self.plain - 1.0

    def text(self) -> str:
        plain, work, way = (f"{1e3 * seconds:.2f} ms" for seconds in (self.plain, self.work, self.way))
        return (
            f"Isolation: {work} in the sandbox (way {way}, taken off) against {plain} plain: {100 * self.share:+.2f} %."
        )


def overhead(sandbox: Sandbox, device: Device) -> Overhead:
    """Raises: CandidateFailed, SandboxError; CalledProcessError where the plain process fails."""
    steps = _steps(device)
    command = [sys.executable, "-c", _WORK + _PLAIN, device.kind, str(steps), str(REPEATS), str(SIDE)]
    environment = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": str(device.index)}
    plain = float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    rng = np.random.default_rng(0)
    inputs = [
        {"x": (rng.standard_normal((SIDE, SIDE)) / SIDE**0.5).astype(np.float32), "steps": steps}
        for _ in range(REPEATS + 1)
    ]
    with sandbox.device_process({"program.py": _WORK}, GPU_LIMITS.run) as process:
        process.place(inputs)
        process.load()
        for number in range(len(inputs)):
            process.run("work", number)
    timings = process.timings[1:]
    span, way, work = (float(np.median([getattr(one, name) for one in timings])) for name in ("span", "way", "work"))
    return Overhead(plain, span, way, work)


def _steps(device: Device) -> int:
    """For about 100 ms: 2 n^3 operations each."""
    return 1500 if device.kind == "cuda" else 3
