"""Where untrusted code runs. Nothing a candidate's process says about itself is believed."""

from .device import NoDevice
from .limits import MIB, Limits
from .on_device import DeviceProcess, Timing
from .outcome import CandidateFailed, Failure, OracleRefused, SandboxError, Usage
from .process import Process, Serves
from .sandbox import Sandbox, open_sandbox
from .spec import Backend, NoJail, SandboxSpec, Tier
from .tier import TierReport, probe_tier

__all__ = [
    "MIB",
    "Backend",
    "CandidateFailed",
    "DeviceProcess",
    "Failure",
    "Limits",
    "NoDevice",
    "NoJail",
    "OracleRefused",
    "Process",
    "Sandbox",
    "SandboxError",
    "SandboxSpec",
    "Serves",
    "Tier",
    "TierReport",
    "Timing",
    "Usage",
    "open_sandbox",
    "probe_tier",
]
