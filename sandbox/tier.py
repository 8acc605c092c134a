"""What this machine offers to contain candidates, and what would make it better."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

from .cgroup import missing
from .inside.seccomp import filters
from .inside.system import libc
from .jail import bwrap_programs
from .outcome import SandboxError
from .sandbox import open_sandbox
from .spec import SandboxSpec, Tier

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION = 1


@dataclass(frozen=True)
class TierReport:
    """``layers``: name -> what holds here; ``advice``: one line each on what to install or enable."""

    tier: Tier
    layers: dict[str, str]
    advice: tuple[str, ...]

    @property
    def contained(self) -> bool:
        return self.tier is not Tier.UNSAFE


def probe_tier() -> TierReport:
    """Start a jail and see. It takes as long as a sandbox takes to open."""
    advice: list[str] = []
    layers = {
        "bubblewrap": next(bwrap_programs(), "not found"),
        "jail": "holds: user, PID, mount, network, IPC and UTS namespaces; private files; no capabilities",
        "system call filter": "holds" if filters() else "none for this machine's architecture",
        "CPU clock": "read from outside, nanoseconds",
        "memory limit": _memory_limit(filters() is not None),
        "landlock": _landlock(),
    }
    tier = Tier.UNSAFE
    try:
        with open_sandbox(SandboxSpec()) as sandbox:
            tier = sandbox.tier
    except SandboxError as error:
        layers["jail"] = "does not hold"
        advice.append(str(error))
    return TierReport(tier, layers, tuple(advice + list(_further(tier))))


def _further(tier: Tier) -> Iterator[str]:
    if tier is Tier.NAMESPACES:
        yield "system calls are filtered on x86-64 and aarch64 only; use such a machine for programs you do not trust"


def _memory_limit(filtered: bool) -> str:
    unit = "the candidate's only process" if filtered else "each process"
    alone = f"address space of {unit} (RLIMIT_AS), private files apart"
    reason = missing()
    if reason is None:
        return f"{alone}; all processes of a slot together by a control group"
    return f"{alone}; no control group: {reason}"


def _landlock() -> str:
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version <= 0:
        return "not available; not needed, the jail's files are read-only"
    return f"available (version {version}); not needed, the jail's files are read-only"
