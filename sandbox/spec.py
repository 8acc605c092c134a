"""What is asked of a sandbox, and how strong the one on this machine is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .device import Device
from .outcome import SandboxError


class Tier(StrEnum):
    """How a candidate is contained; stored with every evaluation."""

    FULL = "full"
    """Namespaces, private files, no capabilities and a system call filter."""
    NAMESPACES = "namespaces"
    """As FULL without the filter (machines other than x86-64 and aarch64): a candidate may start processes."""
    DOCKER = "docker"
    """A container of an engine on this machine with a system call filter; candidates of one slot share it in turn."""
    SHARED = "shared"
    """A jail as above, in which the task's own evaluator runs beside the candidate and may start processes: what it
    answers, the candidate may have answered."""
    GPU = "gpu"
    """As FULL with the nodes of one GPU, whose driver a candidate talks to; it may start processes, to compile."""
    CPU_DEVICE = "cpu-device"
    """As GPU with the CPU in its place, for development: its times say nothing of a GPU."""
    UNSAFE = "unsafe"
    """Limits and a fresh process, but the user's files and network: only for an explicit --unsafe."""


class Backend(StrEnum):
    """What candidates are shut into."""

    BUBBLEWRAP = "bubblewrap"
    DOCKER = "docker"
    CPU_DEVICE = "cpu-device"
    """A bubblewrap jail for tasks that need a GPU, with the CPU in its place."""
    UNSAFE = "unsafe"
    """Nothing; only for an explicit --unsafe."""


@dataclass(frozen=True)
class SandboxSpec:
    """What every candidate of a task finds in its jail.

    ``imports`` are warm, and of the installed packages only those that they belong to (with their requirements) are
    visible. The folder ``helpers`` is read-only and importable as the package ``helpers``.
    """

    imports: tuple[str, ...] = ("numpy",)
    helpers: Path | None = None
    backend: Backend = Backend.BUBBLEWRAP
    shared: bool = False
    """For a task's own evaluator and a candidate in one process; they may start processes (not in a container)."""
    device: Device | None = None
    """What a candidate's inputs lie on; one process at a time uses a GPU."""
    beside: tuple[str, ...] = ()
    """Visible as ``imports`` are, but not warm."""

    @property
    def processes(self) -> bool:
        """Whether candidates may start some."""
        return self.shared or self.device is not None

    @property
    def kind(self) -> str:
        """Of the device; empty where there is none."""
        return "" if self.device is None else self.device.kind


class NoJail(SandboxError):
    """This machine has no jail; the message is one line that says what is missing and what to install or enable."""
