"""The ceilings of this machine: measured once and kept in the user's cache folder, by the machine's fingerprint."""

from __future__ import annotations

import contextlib
import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ..cache import cache_folder, put
from ..task import Task
from .ceilings import Ceilings
from .machine import Machine, this_machine
from .measuring import MeasurementFailed, Tell, measure
from .roofline import declared

FOLDER = "hardware"
ANNOUNCED = "measuring once what this machine can do; it takes about ten seconds"


def on_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def place(machine: Machine) -> Path | None:
    """The file of a machine's ceilings; None where there is no cache folder."""
    try:
        return cache_folder() / FOLDER / f"{machine.fingerprint}.json"
    except RuntimeError:
        return None


def stored(machine: Machine) -> Ceilings | None:
    """What was measured before on this machine, as it is now."""
    path = place(machine)
    try:
        return None if path is None else Ceilings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def measure_and_keep(tell: Tell) -> Ceilings:
    """Measure anew. Raises: MeasurementFailed."""
    machine = this_machine()
    with _alone(machine):
        return _kept(measure(machine, tell))


def known_or_measured(tell: Tell = on_stderr) -> Ceilings:
    """Those that are stored, else measured now, which ``tell`` is told of beforehand.

    Where the cache folder cannot be written, every call measures. Raises: MeasurementFailed.
    """
    machine = this_machine()
    found = stored(machine)
    if found is not None:
        return found
    tell(ANNOUNCED)
    with _alone(machine):
        return stored(machine) or _kept(measure(machine, lambda text: None))


def ceilings_for(task: Task, tell: Tell = on_stderr) -> Ceilings | None:
    """This machine's, where the task says what its instances ask of it; None also where they cannot be measured."""
    return _or_none(tell) if declared(task) else None


def of_this_machine(ceilings: Ceilings | None, tell: Tell = on_stderr) -> Ceilings | None:
    """This machine's in the place of those of another one, such as a cluster's head."""
    if ceilings is None or ceilings.machine.fingerprint == this_machine().fingerprint:
        return ceilings
    return _or_none(tell)


def _or_none(tell: Tell) -> Ceilings | None:
    try:
        return known_or_measured(tell)
    except MeasurementFailed as failed:
        tell(f"nothing is known of this machine's limits: {failed}")
        return None


def _kept(ceilings: Ceilings) -> Ceilings:
    path = place(ceilings.machine)
    if path is not None:
        put(path, ceilings.model_dump_json(indent=1).encode())
    return ceilings


@contextlib.contextmanager
def _alone(machine: Machine) -> Iterator[None]:
    """Processes that would measure at the same time wait for each other; not where the folder cannot be written."""
    with contextlib.ExitStack() as stack:
        path = place(machine)
        with contextlib.suppress(OSError):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(path.with_suffix(".lock").open("w"))
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
