"""A control group around one slot: the processes of its candidates cannot exceed their memory or number together.

Where this process may make no group (see hierarchy.py), each process is held to its limits alone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .hierarchy import PROCESSES, Controller, Place, places
from .limits import Limits

_PREFIX = "speciate"
_NUMBERS = itertools.count()
_OWN_PROCESSES = 8
"""The zygote, and room for one that is still ending."""
_FIRST_VICTIM = "1000"
"""The highest oom_score_adj."""
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Group:
    """One folder of the kernel's, made at ``place``."""

    place: Place
    folder: Path

    def limit(self, controller: Controller, value: int) -> bool:
        """False where the kernel refuses it, or would kill."""
        try:
            if controller is Controller.MEMORY and self.place.kills and self._held() > value:
                return False
            (self.folder / self.place.limits[controller]).write_text(str(value))
        except OSError:
            return False
        return True

    def _held(self) -> int:
        """Bytes that the kernel cannot take back without a kill."""
        fields = (line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        return sum(int(number) for name, number in fields if name in ("anon", "shmem"))


class Cgroup:
    """Groups that together bound memory and number; to be made by ``enclose``."""

    def __init__(self, groups: Sequence[Group], own_bytes: int) -> None:
        self._groups = groups
        self._own_bytes = own_bytes
        self._admitted: dict[int, Limits] = {}
        self._written: dict[Controller, int] = {}

    def admit(self, number: int, limits: Limits) -> None:
        """Make room for one more candidate."""
        self._admitted[number] = limits
        running = self._admitted.values()
        self._limit(Controller.MEMORY, sum(self._own_bytes + each.memory_bytes + each.tmp_bytes for each in running))
        self._limit(Controller.PIDS, _OWN_PROCESSES + sum(each.threads for each in running))

    def release(self, number: int) -> None:
        """The candidate has ended. The limit stays until the next one, which is often held to the same."""
        self._admitted.pop(number, None)

    def _limit(self, controller: Controller, value: int) -> None:
        if self._written.get(controller) == value:
            return
        group = next(one for one in self._groups if controller in one.place.limits)
        # It fails while a candidate's memory is still being freed: then the next one tries again.
        if group.limit(controller, value):
            self._written[controller] = value

    def close(self) -> None:
        """After the end of all its processes, which the kernel may take a moment to forget."""
        end = time.monotonic() + _CLOSE_SECONDS
        for group in self._groups:
            while not _removed(group.folder) and time.monotonic() < end:
                time.sleep(0.005)


def enclose(zygote: int, resident_bytes: int) -> Cgroup | None:
    """A group that holds a zygote and all its forks; None where this process may not make one.

    What the zygote holds already is not counted, but its forks may copy it.
    """
    name = f"{_PREFIX}-{os.getpid()}-{next(_NUMBERS)}"
    groups: list[Group] = []
    try:
        for place in places():
            _sweep(place.folder)
            groups.append(Group(place, place.folder / name))
            place.make(name)
        for group in groups:
            (group.folder / PROCESSES).write_text(str(zygote))
    except OSError:
        Cgroup(groups, 0).close()
        return None
    return Cgroup(groups, resident_bytes)


def name_victim(pid: int) -> None:
    """Where memory runs out, let the kernel end this process before its zygote."""
    with contextlib.suppress(OSError):  # it has ended already
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_VICTIM)


def missing() -> str | None:
    """Why there is no control group here, in one line; None where there is one."""
    try:
        places()
    except OSError as error:
        return str(error)
    return None


def _sweep(parent: Path) -> None:
    """Remove what killed processes left; the kernel refuses where some process still runs."""
    for folder in parent.glob(f"{_PREFIX}-*"):
        owner = folder.name.split("-")[1]
        if not Path("/proc", owner).exists():
            _removed(folder)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
