"""What proposers are told of an evaluation, in words (D15: no secret, bounded, no control characters)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from .evaluation import InstanceResult, State

MAX_OUTPUT = 1000
MAX_METRICS = 6


def describe(state: State, results: Sequence[InstanceResult], printed: str) -> str:
    """One line per instance, then the end of what the program printed on the smoke instances."""
    lines = [_line(result) for result in results]
    if state is State.QUARANTINED:
        lines.append("quarantined: better than is plausible; it counts only once it is certified")
    if printed.strip():
        lines += ["printed on the smoke instances:", printed.strip()[-MAX_OUTPUT:]]
    return "\n".join(lines)


def kind_of_failure(state: State, message: str) -> str:
    """What may be told of a failure on a hidden instance.

    The message, and even the name of the exception's class, are the candidate's and could carry what it saw. Python's
    own names cannot, and what is said of a time-out comes from the trusted side.
    """
    if state is State.TIMEOUT:
        return message
    name = message.partition(":")[0]
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else ""


def _line(result: InstanceResult) -> str:
    parts = [f"{result.name}: {result.state.value}"]
    parts += [f"{name}={value:.6g}" for name, value in list(result.metrics.items())[:MAX_METRICS]]
    if result.gain is not None:
        parts.append(f"gain={result.gain:.4g}")
    return " ".join(parts) + (f" ({result.note})" if result.note else "")
