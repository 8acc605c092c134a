"""Where this process may make control groups of its own.

Version 1 of Linux's control groups has a tree of folders for each controller, version 2 one for all (admin-guide/
cgroup-v1 and admin-guide/cgroup-v2 of the kernel's documentation).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROCESSES = "cgroup.procs"
_SWITCHES = "cgroup.subtree_control"


class Controller(StrEnum):
    MEMORY = "memory"
    PIDS = "pids"


class Unavailable(OSError):
    """Why no control group can be made here, in one line."""


@dataclass(frozen=True, slots=True)
class Place:
    """A group below which others may be made.

    ``limits`` names the file of a group that bounds what a controller counts, ``fixed`` what other files are to hold.
    Where ``kills``, a limit below the memory in use is not refused but enforced by the kernel.
    """

    folder: Path
    limits: Mapping[Controller, str]
    fixed: Mapping[str, str]
    kills: bool = False
    switches: str = ""
    """What is to be switched on for the groups below first."""

    def make(self, name: str) -> None:
        """A new group. Raises: OSError, which may leave it there."""
        if self.switches:
            (self.folder / _SWITCHES).write_text(self.switches)
        group = self.folder / name
        group.mkdir()
        for file, value in self.fixed.items():
            if (group / file).exists():  # a kernel without swap has no setting for it
                (group / file).write_text(value)


# Without the settings for swap a candidate beyond its memory would be swapped out instead of ended.
_VERSION_1 = {
    Controller.MEMORY: ("memory.limit_in_bytes", {"memory.swappiness": "0"}),
    Controller.PIDS: ("pids.max", {}),
}
_VERSION_2 = {Controller.MEMORY: "memory.max", Controller.PIDS: "pids.max"}
_FIXED = {"memory.swap.max": "0", "memory.oom.group": "0"}


def places(process: Path = Path("/proc/self")) -> tuple[Place, ...]:
    """Where groups may be made that together bound every ``Controller``; ``process`` is the folder that tells of us.

    Raises: Unavailable; OSError.
    """
    owned = {controller: _own_folder(process, "cgroup", controller) for controller in Controller}
    folders = {controller: folder for controller, folder in owned.items() if folder is not None}
    if len(folders) < len(Controller):
        return (_unified(process),)
    for folder in folders.values():
        _writable(folder)
    return tuple(
        Place(folder, {controller: _VERSION_1[controller][0]}, _VERSION_1[controller][1])
        for controller, folder in folders.items()
    )


def _unified(process: Path) -> Place:
    """Version 2: below our own group where that is allowed, else beside it.

    A group that holds processes may not share out what it has, but for the root of all; ours holds at least us.
    """
    own = _own_folder(process, "cgroup2", "")
    if own is None:
        raise Unavailable("neither version of control groups for memory and pids is mounted")
    try:
        return _shared_out(own)
    except Unavailable as reason:
        if not (own.parent / PROCESSES).exists():
            raise
        try:
            return _shared_out(own.parent)
        except Unavailable as other:
            advice = "start it in a delegated group, for example with 'systemd-run --user --scope speciate ...'"
            raise Unavailable(f"{reason}, and {other}: {advice}") from None


def _shared_out(folder: Path) -> Place:
    """The place in version 2 that this group is. Raises: Unavailable; OSError."""
    on = (folder / _SWITCHES).read_text().split()
    off = [controller for controller in Controller if controller not in on]
    for controller in off:
        if controller not in (folder / "cgroup.controllers").read_text().split():
            raise Unavailable(f"{folder} has no controller '{controller}'")
    is_root = not (folder / "cgroup.type").exists()
    if off and not is_root and (folder / PROCESSES).read_text().strip():
        raise Unavailable(f"{folder} holds processes")
    # A process may be moved by whoever may write to what is above its old and its new group.
    for path in (folder, folder / PROCESSES, *([folder / _SWITCHES] if off else [])):
        _writable(path)
    return Place(folder, _VERSION_2, _FIXED, kills=True, switches=" ".join(f"+{one}" for one in off))


def _writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise Unavailable(f"{path} may not be written to")


def _own_folder(process: Path, filesystem: str, controller: str) -> Path | None:
    """Of this process's own group, where such a hierarchy is mounted and shows it."""
    for mount in (process / "mountinfo").read_text().splitlines():
        where, _, source = mount.partition(" - ")
        kind, _, options = source.split(" ", 2)
        if kind != filesystem or (controller and controller not in options.split(",")):
            continue
        root, mounted = map(Path, where.split()[3:5])
        for line in (process / "cgroup").read_text().splitlines():
            _, controllers, own = line.split(":", 2)
            # Seen from another namespace a group may be above the root.
            if controller in controllers.split(",") and ".." not in own and Path(own).is_relative_to(root):
                return mounted / Path(own).relative_to(root)
    return None
