"""What proposers are told of an evaluation, in words (D15: no secret, bounded, no control characters)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from ..sandbox.text import bounded_text
from .evaluation import InstanceResult, State

MAX_OUTPUT = 1000
MAX_METRICS = 6
MAX_INSTANCES = 20
MAX_TEXT = 8000

KINDS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
) | {"LinAlgError", "not plain data"}
"""The only words of a failure that are passed on from hidden instances."""


def kind_of_failure(state: State, message: str) -> str:
    """What may be told of a failure on a hidden instance: the name of an exception that the candidate did not name.

    A class of the candidate's own may be called after what it saw; a time limit is put into words on our side.
    """
    if state is State.TIMEOUT:
        return message
    kind = message.partition(":")[0]
    return kind if kind in KINDS else ""


def describe(state: State, results: Sequence[InstanceResult], printed: str) -> str:
    """One line per instance, then the end of what the program printed on the smoke instances.

    Of many instances the first ones and the last one are told: a program that failed did so on the last one.
    """
    shown = results if len(results) <= MAX_INSTANCES else [*results[: MAX_INSTANCES - 1], results[-1]]
    lines = [_line(result) for result in shown]
    if len(shown) < len(results):
        lines.insert(-1, f"... {len(results) - len(shown)} more instances")
    if state is State.QUARANTINED:
        lines.append("quarantined: better than is plausible; it counts only once it is certified")
    if printed.strip():
        lines += ["printed on the smoke instances:", printed.strip()[-MAX_OUTPUT:]]
    return bounded_text("\n".join(lines), MAX_TEXT)


def _line(result: InstanceResult) -> str:
    parts = [f"{result.name}: {result.state.value}"]
    parts += [f"{name}={value:.6g}" for name, value in list(result.metrics.items())[:MAX_METRICS]]
    if result.gain is not None:
        parts.append(f"gain={result.gain:.4g}")
    if result.roofline is not None:
        parts.append(f"of_hardware_limit={result.roofline.fraction:.2g}")
    return " ".join(parts) + (f" ({result.note})" if result.note else "")
