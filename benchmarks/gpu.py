"""Everything that can only be checked where a GPU is, in one command.

``python -m speciate.benchmarks.gpu [OUT] [--device cuda|cpu] [--size gpu|smoke] [--task NAME ...]`` measures the tasks'
forms for a GPU (baseline, reference), tries how candidates end (no memory, illegal access, a hung kernel, and the next
one served), compares the time that the sandbox gives to a kernel with what a plain process measures, and writes
``OUT/gpu.json`` and, for docs/gpu.md, ``OUT/gpu.md``. Exit status 1 where something does not hold. With ``--device
cpu`` the same lines run without a GPU; what needs one is said to be skipped.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluators import Calibration, Size, TaskError, calibrate, load_task
from ..evaluators.loader import gpu_forms
from ..sandbox import Backend, CandidateFailed, Sandbox, SandboxError, SandboxSpec, open_sandbox
from ..sandbox.device import CPU, a_gpu
from ..tasks.gpu import GPU_LIMITS
from .gpu_overhead import Overhead, overhead
from .gpu_states import ENDS, Ending

SECRET = b"of the benchmark on a GPU"


@dataclass(frozen=True, slots=True)
class Row:
    """One task: seconds of baseline and reference (geometric means), what the way and the device's clock said."""

    task: str
    baseline: float | None = None
    reference: float | None = None
    span: float | None = None
    way: float | None = None
    claimed: float | None = None
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a candidate ended, and whether the device served the next one."""

    name: str
    expected: str
    got: str
    served: bool
    held: bool | None


@dataclass(frozen=True)
class Report:
    device: str
    size: Size
    machine: dict[str, str]
    tasks: list[Row] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    overhead: Overhead | None = None

    @property
    def ok(self) -> bool:
        return not any(row.reason for row in self.tasks) and not any(one.held is False for one in self.ends)


def measured(name: str, backend: Backend, size: Size) -> Row:
    """Baseline and reference of one task, on fresh instances, as every evaluation measures them."""
    began = time.monotonic()
    try:
        folder = load_task(name)
        with open_sandbox(folder.spec(backend)) as sandbox:
            scale = calibrate(folder, sandbox, SECRET, size)
    except (TaskError, SandboxError) as error:
        return Row(name, seconds=time.monotonic() - began, reason=" ".join(str(error).split()))
    return Row(
        name,
        scale.baseline_value,
        scale.reference_value,
        *(_typical(scale, clock) for clock in ("span_seconds", "way_seconds", "claimed_seconds")),
        seconds=time.monotonic() - began,
    )


def _typical(scale: Calibration, clock: str) -> float:
    """Of the reference's runs."""
    return float(np.median([metrics[clock] for metrics in scale.reference_metrics.values()]))


def endings(sandbox: Sandbox, on_gpu: bool) -> Iterator[Ended]:
    """Each way to end, and an honest program after it on the same device."""
    for one in ENDS:
        if one.needs_gpu and not on_gpu:
            yield Ended(one.name, one.failure, "skipped: needs a GPU", True, None)
            continue
        got = _end_of(sandbox, one)
        served = _serves(sandbox)
        yield Ended(one.name, one.failure, got, served, served and got == one.failure)


def _end_of(sandbox: Sandbox, one: Ending) -> str:
    try:
        with sandbox.device_process({"program.py": one.program}, one.limits) as process:
            process.call("f", {"x": np.ones(1024, dtype=np.float32)})
    except CandidateFailed as failed:
        return failed.failure
    except SandboxError as error:
        return f"the sandbox failed: {error}"
    return "an output"


def _serves(sandbox: Sandbox) -> bool:
    try:
        with sandbox.device_process({"program.py": "def f(x): return x + 1\n"}, GPU_LIMITS.run) as process:
            return bool((process.call("f", {"x": np.ones(8, dtype=np.float32)}) == 2).all())
    except (CandidateFailed, SandboxError):
        return False


def run(backend: Backend, size: Size, tasks: Sequence[str]) -> Report:
    """Raises: NoDevice, NoJail."""
    device = CPU if backend is Backend.CPU_DEVICE else a_gpu()
    report = Report(device.name, size, _machine(device.kind))
    for name in tasks:
        report.tasks.append(_said(measured(name, backend, size)))
    with open_sandbox(SandboxSpec(imports=("numpy", "torch"), device=device, backend=backend)) as sandbox:
        for one in endings(sandbox, device.kind == "cuda"):
            report.ends.append(_said(one))
        return Report(**{**vars(report), "overhead": _said(overhead(sandbox, device))})


def _said(one: Any) -> Any:
    sys.stderr.write(f"{one}\n")
    return one


def _machine(kind: str) -> dict[str, str]:
    import torch

    found = {"torch": torch.__version__, "python": platform.python_version(), "kernel": platform.release()}
    if kind == "cuda":
        asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"]
        found["GPU"] = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return found


def document(report: Report) -> str:
    """The tables of docs/gpu.md."""
    lines = [f"Device {report.device}, size {report.size}; " + ", ".join(map(": ".join, report.machine.items())), ""]
    lines += ["| task | baseline ms | reference ms | ratio | span ms | way ms | device's clock ms |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for row in report.tasks:
        if row.baseline is None or row.reference is None:
            lines.append(f"| {row.task} | {row.reason} | | | | | |")
            continue
        cells = [row.baseline, row.reference, row.baseline / row.reference / 1e3, row.span, row.way, row.claimed]
        lines.append(f"| {row.task} | " + " | ".join(f"{1e3 * (cell or 0.0):.3g}" for cell in cells) + " |")
    lines += ["", "| how a candidate ends | expected | got | next one served |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.name} | {one.expected} | {one.got} | {'yes' if one.served else 'NO'} |" for one in report.ends]
    if report.overhead is not None:
        lines += ["", report.overhead.text()]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m speciate.benchmarks.gpu")
    parser.add_argument("out", type=Path, nargs="?", default=Path("gpu"))
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--size", choices=("gpu", "smoke"), default="gpu")
    parser.add_argument("--task", action="append", choices=sorted(gpu_forms()))
    asked = parser.parse_args()
    backend = Backend.CPU_DEVICE if asked.device == "cpu" else Backend.BUBBLEWRAP
    try:
        report = run(backend, asked.size, asked.task or sorted(gpu_forms()))
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "gpu.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    (asked.out / "gpu.md").write_text(document(report))
    sys.stdout.write(document(report))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
