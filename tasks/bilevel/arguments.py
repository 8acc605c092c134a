"""What a bilevel oracle was asked with, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...evaluators import OracleRefused, Rejected
from ...evaluators.checks import as_array

Array = np.ndarray[Any, Any]
LARGEST = 1e9


def arrays(args: tuple[Any, ...], *lengths: int) -> list[Array]:
    """As many float64 vectors as ``lengths``, of those lengths, with entries of at most 10^9 in size.

    Raises: OracleRefused.
    """
    if len(args) != len(lengths):
        raise OracleRefused(f"this method takes {len(lengths)} arrays")
    try:
        return [
            as_array(value, shape=(length,), name="the argument", low=-LARGEST, high=LARGEST)
            for value, length in zip(args, lengths, strict=True)
        ]
    except Rejected as rejection:
        raise OracleRefused(str(rejection)) from None
