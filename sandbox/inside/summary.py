"""A value in a few plain fields: its kind, form and size, never its content beyond a short beginning."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MAX_TEXT = 80
MAX_MEASURED = 1 << 20
"""Elements; of a larger array only dtype and shape are told."""
_PLAIN = (bool, int, float, complex, np.bool_, np.number)

Summary = dict[str, Any]
"""``kind``, and of ``text``, ``size``, ``dtype``, ``shape``, ``norm``, ``low``, ``high``, ``odd`` those that apply."""


def summary(value: Any) -> Summary:
    """Never raises: the value's class may be the candidate's own."""
    try:
        return _summary(value)
    except Exception:  # noqa: BLE001
        return {"kind": "unreadable"}


def _summary(value: Any) -> Summary:
    if value is None:
        return {"kind": "None"}
    if isinstance(value, _PLAIN):
        return {"kind": _name(value), "text": _short(str(value))}
    if isinstance(value, str):
        return {"kind": "str", "size": len(value), "text": _short(value)}
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        return _array(value.detach().cpu().numpy(), "tensor")
    if isinstance(value, np.ndarray):
        return _array(value, "array")
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        kinds = sorted({_name(item) for item in list(value)[:100]})
        return {"kind": _name(value), "size": len(value), "text": _short(", ".join(kinds))}
    if callable(value) and hasattr(value, "__name__"):
        return {"kind": _name(value), "text": _short(str(value.__name__))}
    return {"kind": _name(value), **_formed(value)}


def _formed(value: Any) -> Summary:
    """Of whatever has a shape and a dtype, such as a sparse matrix."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if not isinstance(shape, tuple) or not all(isinstance(size, int) for size in shape):
        return {}
    return {"shape": list(shape[:8]), "dtype": _short(str(dtype))}


def _array(value: np.ndarray, kind: str) -> Summary:
    told: Summary = {"kind": kind, "dtype": str(value.dtype), "shape": list(value.shape[:8])}
    if value.dtype.kind not in "biufc" or not 0 < value.size <= MAX_MEASURED:
        return told
    numbers = np.abs(value) if value.dtype.kind == "c" else np.asarray(value, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if finite.size:
        largest = float(np.abs(finite).max())
        scaled = finite / largest if largest > 0 else finite
        norm = largest * math.sqrt(float(np.vdot(scaled, scaled).real))
        told |= {"norm": norm, "low": float(finite.min()), "high": float(finite.max())}
    return told | {"odd": int(numbers.size - finite.size)}


def _name(value: Any) -> str:
    return _short(type(value).__name__)


def _short(text: str) -> str:
    return text[:MAX_TEXT].encode(errors="replace").decode()
