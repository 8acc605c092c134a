"""Where untrusted code runs. Nothing a candidate's process says about itself is believed."""

from .limits import MIB, Limits
from .outcome import CandidateFailed, Failure, OracleRefused, SandboxError, Usage

__all__ = ["MIB", "CandidateFailed", "Failure", "Limits", "OracleRefused", "SandboxError", "Usage"]
