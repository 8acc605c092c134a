"""Measures the ceilings of this machine, each device in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from ...sandbox.jail import ENVIRONMENT
from .ceilings import Ceilings, Rates
from .child import Plan
from .levels import levels
from .machine import Machine

Tell = Callable[[str], None]
"""Is given a line of progress."""

CHILD = f"{__package__}.child"
LIMIT_SECONDS = 300.0
_THREADS = tuple(name for name in ENVIRONMENT if name.endswith("_NUM_THREADS"))
"""What says to numeric libraries how many threads to start, in the jail too."""


class MeasurementFailed(Exception):
    """A device could not be measured; one line that says why."""


def measure(machine: Machine, tell: Tell) -> Ceilings:
    """One core, all cores, each GPU; it takes some seconds. Raises: MeasurementFailed where the CPU cannot be measured.

    A GPU that cannot is named among what is missing.
    """
    began, load = time.monotonic(), os.getloadavg()[0] / machine.cores
    cpu: list[Rates] = []
    for threads in dict.fromkeys((1, machine.cores)):
        tell(f"measuring {'one core' if threads == 1 else f'{threads} cores'}")
        found = tuple(levels(machine.caches, machine.memory, threads))
        rates = _rates(Plan(device="cpu", threads=threads, levels=found))
        cpu.append(rates.at_least(cpu[0]) if cpu else rates)
    gpus: list[Rates] = []
    missing: list[str] = []
    for number, gpu in enumerate(machine.gpus):
        tell(f"measuring GPU {number}, {gpu.name}")
        try:
            gpus.append(_rates(Plan(device=f"cuda:{number}")))
        except MeasurementFailed as failed:
            missing.append(f"GPU {number}, {gpu.name}: {failed}")
    return Ceilings(
        machine=machine,
        cpu=tuple(cpu),
        gpus=tuple(gpus),
        missing=tuple(missing),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        load=load,
        seconds=time.monotonic() - began,
    )


def _rates(plan: Plan) -> Rates:
    """Raises: MeasurementFailed."""
    environment = os.environ | dict.fromkeys(_THREADS, str(plan.threads)) | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    command = [sys.executable, "-P", "-m", CHILD, plan.model_dump_json()]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS, env=environment
        )
        return Rates.model_validate_json(done.stdout)
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"not done within {LIMIT_SECONDS:g} s") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise MeasurementFailed(said[-1] if said else f"ended with status {error.returncode}") from None
    except (OSError, ValidationError) as error:
        raise MeasurementFailed(" ".join(str(error).split())) from None
