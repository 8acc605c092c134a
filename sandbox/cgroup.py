"""A control group around one slot: the processes of its candidates cannot exceed their memory or number together.

Version 1 of Linux's control groups (admin-guide/cgroup-v1 of the kernel's documentation), where this process may make
groups below its own; elsewhere each process is held to its limits alone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .limits import Limits

_MEMORY, _PIDS = "memory", "pids"
_LIMITS = {_MEMORY: "memory.limit_in_bytes", _PIDS: "pids.max"}
_PREFIX = "speciate"
_NUMBERS = itertools.count()
_OWN_PROCESSES = 8
"""The zygote, and room for one that is still ending."""
_FIRST_VICTIM = "1000"
"""The highest oom_score_adj."""
_CLOSE_SECONDS = 2.0


class Cgroup:
    """One group of each kind; to be made by ``enclose``."""

    def __init__(self, folders: Mapping[str, Path], own_bytes: int) -> None:
        self._folders = folders
        self._own_bytes = own_bytes
        self._admitted: dict[int, Limits] = {}
        self._written: dict[str, int] = {}

    def admit(self, number: int, limits: Limits) -> None:
        """Make room for one more candidate."""
        self._admitted[number] = limits
        running = self._admitted.values()
        self._limit(_MEMORY, sum(self._own_bytes + each.memory_bytes + each.tmp_bytes for each in running))
        self._limit(_PIDS, _OWN_PROCESSES + sum(each.threads for each in running))

    def release(self, number: int) -> None:
        """The candidate has ended. The limit stays until the next one, which is often held to the same."""
        self._admitted.pop(number, None)

    def _limit(self, kind: str, value: int) -> None:
        if self._written.get(kind) != value:
            # Refused while a candidate's memory is still being freed: then the next one tries again.
            with contextlib.suppress(OSError):
                (self._folders[kind] / _LIMITS[kind]).write_text(str(value))
                self._written[kind] = value

    def close(self) -> None:
        """After the end of all its processes, which the kernel may take a moment to forget."""
        end = time.monotonic() + _CLOSE_SECONDS
        for folder in self._folders.values():
            while not _removed(folder) and time.monotonic() < end:
                time.sleep(0.005)


def enclose(zygote: int, resident_bytes: int) -> Cgroup | None:
    """A group that holds a zygote and all its forks; None where this process may not make one.

    What the zygote holds already is not counted, but its forks may copy it.
    """
    name = f"{_PREFIX}-{os.getpid()}-{next(_NUMBERS)}"
    folders: dict[str, Path] = {}
    try:
        for kind in _LIMITS:
            parent = _own_folder(kind)
            _sweep(parent)
            (parent / name).mkdir()
            folders[kind] = parent / name
        # Else a candidate beyond its memory would be swapped out instead of ended.
        (folders[_MEMORY] / "memory.swappiness").write_text("0")
        for folder in folders.values():
            (folder / "cgroup.procs").write_text(str(zygote))
    except OSError:
        Cgroup(folders, 0).close()
        return None
    return Cgroup(folders, resident_bytes)


def name_victim(pid: int) -> None:
    """Where memory runs out, let the kernel end this process before its zygote."""
    with contextlib.suppress(OSError):  # it has ended already
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_VICTIM)


def missing() -> str | None:
    """Why there is no control group here, in one line; None where there is one."""
    try:
        parents = [_own_folder(kind) for kind in _LIMITS]
    except OSError as error:
        return str(error)
    closed = [str(parent) for parent in parents if not os.access(parent, os.W_OK)]
    return f"{closed[0]} may not be written to" if closed else None


def _own_folder(kind: str) -> Path:
    """Of this process's own group. Raises: OSError where version 1 of this kind is not mounted."""
    for root, mounted in _mounts(kind):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, own = line.split(":", 2)
            if kind in kinds.split(",") and Path(own).is_relative_to(root):
                return mounted / Path(own).relative_to(root)
    raise FileNotFoundError(f"version 1 of the control group '{kind}' is not mounted, version 2 is not used")


def _mounts(kind: str) -> Iterator[tuple[Path, Path]]:
    """(root within the hierarchy, where it is mounted)"""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, source = line.partition(" - ")
        filesystem, _, options = source.split(" ", 2)
        if filesystem == "cgroup" and kind in options.split(","):
            yield Path(mount.split()[3]), Path(mount.split()[4])


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
