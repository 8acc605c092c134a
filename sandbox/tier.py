"""What this machine offers to contain candidates, and what would make it better."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from . import nvml
from .cgroup import missing
from .device import gpus
from .inside import landlock
from .inside.seccomp import filters
from .jail import bwrap_programs
from .limits import Limits
from .outcome import CandidateFailed, Failure, SandboxError
from .sandbox import Sandbox, open_sandbox
from .spec import Backend, SandboxSpec, Tier

DOCKER_TIER = "docker tier"


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
        "GPU": _gpus(),
    }
    tier = Tier.UNSAFE
    try:
        with open_sandbox(SandboxSpec()) as sandbox:
            tier = sandbox.tier
    except SandboxError as error:
        layers["jail"] = "does not hold"
        advice.append(str(error))
    layers |= _docker()
    if tier is Tier.UNSAFE and layers.get(DOCKER_TIER, "").startswith(Tier.DOCKER):
        advice.append("until then give --sandbox docker, which works here")
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


_OUTSIDE = "def probe(): open('/proc/self/mounts')"


def _docker() -> dict[str, str]:
    """The engine, its image and what holds in a container of it."""
    from .docker.engine import connect
    from .docker.image import describe_image, find_image

    try:
        client = connect()
    except SandboxError as error:
        return {"docker": str(error)}
    layers = {"docker": f"engine {client.version()['Version']}"}
    with contextlib.closing(client):
        try:
            find_image(client)
            layers["docker image"] = describe_image(client) or ""
            with open_sandbox(SandboxSpec(backend=Backend.DOCKER)) as sandbox:
                layers[DOCKER_TIER] = f"{sandbox.tier}: {_in_container(sandbox)}"
        except SandboxError as error:
            return layers | {DOCKER_TIER: f"does not hold: {error}"}
    return layers


def _in_container(sandbox: Sandbox) -> str:
    holds = "no network, read-only root, no capabilities, system call filter, "
    with sandbox.process({"program.py": _OUTSIDE}, Limits()) as process:
        try:
            process.call("probe", {})
        except CandidateFailed as failed:
            if failed.failure is Failure.FORBIDDEN:
                return holds + "Landlock"
    return holds + "but no Landlock: candidates can read /proc"


def _gpus() -> str:
    found = gpus()
    if not found:
        return "none: tasks that run on one are refused, but for --device cpu"
    watched = all(nvml.gpu(one.index) is not None for one in found)
    memory = "memory watched from outside (NVML)" if watched else "memory bounded by torch alone: NVML does not answer"
    return f"{', '.join(one.name for one in found)}; one evaluation at a time on each; {memory}"


def _landlock() -> str:
    here = landlock.version()
    return f"version {here}; used in containers only" if here else "not available; used in containers only"
