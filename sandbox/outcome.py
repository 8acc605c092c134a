"""How a candidate process ends, as the trusted side saw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """Why a candidate gave no output. All are the candidate's own doing; our faults raise SandboxError."""

    CRASHED = "crashed"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    FORBIDDEN = "forbidden"
    MALFORMED = "malformed"
    """A reply that is not plain data, or is larger than the limit."""


class CandidateFailed(Exception):
    """The candidate gave no output. ``message`` may hold the candidate's own text: quote it, never trust it."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


class SandboxError(Exception):
    """The sandbox itself failed (no jail, dead zygote): retry or tell the user, never charge the program."""


class OracleRefused(Exception):
    """Raised by an oracle to answer a request with an exception in the candidate."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished candidate process used, measured outside it. ``stdout`` holds both streams, bounded."""

    cpu_seconds: float
    wall_seconds: float
    peak_memory: int
    stdout: str
