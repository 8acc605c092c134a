"""Strict checks for judges: each returns what it has verified or raises Rejected with a note for the proposer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_NUMERIC = (int, float, np.number, np.ndarray, list, tuple)


class Rejected(Exception):
    """The output is INVALID; the message says what is wrong, in words that hold no secret."""


def as_array(
    output: Any,
    *,
    shape: Sequence[int | None] | None = None,
    name: str = "the output",
    integer: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """A finite float64 (or int64) copy of ``output``, which must be an array or nested list of exactly that shape.

    ``None`` in ``shape`` allows any length there. Raises: Rejected.
    """
    if not isinstance(output, np.ndarray | list | tuple | int | float | np.generic) or isinstance(output, bool):
        raise Rejected(f"{name} must be an array, not {type(output).__name__}")
    if isinstance(output, list | tuple) and not _only_numbers(output):
        raise Rejected(f"{name} must hold real numbers only")
    try:
        array = np.asarray(output)
    except (ValueError, TypeError, OverflowError):
        raise Rejected(f"{name} is ragged") from None
    if array.dtype.kind not in ("iu" if integer else "iuf"):
        raise Rejected(f"{name} must hold {'integers' if integer else 'real numbers'}, not {array.dtype}")
    if shape is not None and not _fits(array.shape, shape):
        wanted = "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"
        raise Rejected(f"{name} has shape {array.shape} and not {wanted}")
    array = array.astype(np.int64 if integer else np.float64)
    if not np.isfinite(array).all():
        raise Rejected(f"{name} has values that are not finite")
    if low is not None and not (array >= low).all():
        raise Rejected(f"{name} has values below {low:g}")
    if high is not None and not (array <= high).all():
        raise Rejected(f"{name} has values above {high:g}")
    return array


def _only_numbers(items: Sequence[Any]) -> bool:
    """Whether a nested list holds numbers and arrays of them and nothing else.

    Numpy would give every item the length of the longest text: gigabytes for a short reply.
    """
    kinds = set(map(type, items))
    inner = (item for item in items if isinstance(item, list | tuple)) if kinds & {list, tuple} else ()
    return all(issubclass(kind, _NUMERIC) and kind is not bool for kind in kinds) and all(map(_only_numbers, inner))


def _fits(shape: tuple[int, ...], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, have) for have, want in zip(shape, wanted, strict=True))


def exact_array(
    output: Any,
    *,
    dtype: type[np.generic],
    shape: Sequence[int | None],
    name: str = "the output",
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """As ``as_array``, but ``output`` must be an array of that very dtype, returned as it is. Raises: Rejected."""
    if not isinstance(output, np.ndarray) or output.dtype != dtype:
        raise Rejected(f"{name} must be a {np.dtype(dtype)} array")
    as_array(output, shape=shape, name=name, integer=output.dtype.kind in "iu", low=low, high=high)
    return output


def as_number(output: Any, *, name: str = "the output", low: float | None = None, high: float | None = None) -> float:
    """A finite float. Raises: Rejected."""
    return float(as_array(output, shape=(), name=name, low=low, high=high))


def distinct_indices(output: Any, *, count: int, below: int, name: str = "the output") -> np.ndarray:
    """``count`` different integers in ``range(below)``, shape (count,). Raises: Rejected."""
    indices = as_array(output, shape=(count,), name=name, integer=True, low=0, high=below - 1)
    if len(np.unique(indices)) != count:
        raise Rejected(f"{name} names an index twice")
    return indices


def permutation(output: Any, *, length: int, name: str = "the output") -> np.ndarray:
    """A permutation of ``range(length)``. Raises: Rejected."""
    return distinct_indices(output, count=length, below=length, name=name)


def simplex(output: Any, *, length: int, tolerance: float = 1e-9, name: str = "the output") -> np.ndarray:
    """Non-negative weights that sum to one within ``tolerance``, then scaled to do so exactly. Raises: Rejected."""
    weights = as_array(output, shape=(length,), name=name, low=0.0)
    if not abs(float(weights.sum()) - 1.0) <= tolerance:
        raise Rejected(f"{name} does not sum to 1")
    return weights / weights.sum()
