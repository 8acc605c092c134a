"""Behaviour: what a program did on the smoke instances, as a short hash, so that its copies in disguise are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .trial import Trial

DIGITS = 30
"""Binary digits that count: sums in another order do not make another behaviour."""


def behaviour_of(trials: Sequence[Trial]) -> str:
    """16 hexadecimal digits over outputs, the judge's metrics, and what oracles were asked and charged.

    Equal for programs that answer and ask alike up to rounding; time and memory do not count.
    """
    digest = hashlib.sha256()
    for trial in trials:
        asked = [(call.method, call.args) for call in trial.log.calls] if trial.log else []
        _feed(digest, [trial.output, trial.metrics, trial.oracle_cost, asked])
    return digest.hexdigest()[:16]


def _feed(digest: Any, value: Any) -> None:
    """Plain data, each kind under its name, so that 1, 1.0 and "1" differ."""
    digest.update(type(value).__name__.encode() + b"\0")
    match value:
        case float() | complex() | np.floating() | np.complexfloating():
            _feed_numbers(digest, np.asarray(value))
        case np.ndarray():
            digest.update(f"{value.dtype} {value.shape}".encode())
            _feed_numbers(digest, value)
        case Mapping():
            for key in value:
                _feed(digest, key)
                _feed(digest, value[key])
        case list() | tuple():
            digest.update(str(len(value)).encode())
            for one in value:
                _feed(digest, one)
        case _:
            digest.update(repr(value).encode() + b"\0")


def _feed_numbers(digest: Any, values: np.ndarray[Any, Any]) -> None:
    if np.issubdtype(values.dtype, np.complexfloating):
        _feed_numbers(digest, values.real)
        _feed_numbers(digest, values.imag)
    elif np.issubdtype(values.dtype, np.floating):
        mantissas, exponents = np.frexp(np.nan_to_num(values.astype(np.float64)))
        digest.update(np.rint(mantissas * 2.0**DIGITS).tobytes() + exponents.tobytes())
        digest.update(np.packbits(~np.isfinite(values)).tobytes())
    else:
        digest.update(np.ascontiguousarray(values).tobytes())
