"""Recorded calls: a program's inputs, outputs and oracle replies as plain data, and their replay.

Numbers are compared within a tolerance, since libraries of linear algebra differ in the last digits between machines.
This file stands alone, so that an exported library can carry it among its tests. No pickle.
"""

from __future__ import annotations

import importlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

RTOL = 1e-6
"""Relative tolerance per number, and for arrays also relative to the largest magnitude."""


@dataclass(frozen=True)
class Request:
    """One request to an oracle and its reply, or why it was refused."""

    method: str
    args: list[Any]
    reply: Any
    refusal: str | None = None


@dataclass(frozen=True)
class Call:
    """One call of an entry. Calls with the same ``process`` saw the same fresh import of the program, in order."""

    process: int
    entry: str
    inputs: dict[str, Any]
    output: Any
    requests: list[Request] | None = None


class OracleRefused(Exception):
    """The oracle's answer to a request that it does not serve."""


@dataclass
class RecordedOracle:
    """Answers the recorded requests in their order. Raises: AssertionError where the program asks something else."""

    requests: list[Request]
    asked: int = 0

    def __getattr__(self, method: str) -> Any:
        if method.startswith("__"):
            raise AttributeError(method)
        return lambda *args: self._answer(method, list(args))

    def _answer(self, method: str, args: list[Any]) -> Any:
        assert self.asked < len(self.requests), f"request {self.asked + 1} ({method}) was not made when recorded"
        request = self.requests[self.asked]
        self.asked += 1
        assert method == request.method, f"request {self.asked} is {method}, recorded was {request.method}"
        problem = difference(request.args, args)
        assert problem is None, f"request {self.asked} ({method}): {problem}"
        if request.refusal is not None:
            raise OracleRefused(request.refusal)
        return request.reply


def replay(module: ModuleType, calls: list[Call]) -> list[str]:
    """Make the calls again. Returns what differs, one line each."""
    problems: list[str] = []
    process: int | None = None
    for number, call in enumerate(calls):
        if call.process != process:
            process, module = call.process, importlib.reload(module)
        extra = {} if call.requests is None else {"oracle": RecordedOracle(call.requests)}
        output = getattr(module, call.entry)(**call.inputs, **extra)
        problem = difference(call.output, output)
        if problem is not None:
            problems.append(f"call {number} of {call.entry}: {problem}")
    return problems


def difference(expected: Any, actual: Any, where: str = "value") -> str | None:
    """How two plain values differ, or None. Numbers within ``RTOL``, integers, text and shapes exactly."""
    if isinstance(expected, np.ndarray | np.generic):
        return _array_difference(np.asarray(expected), np.asarray(actual), where)
    if isinstance(actual, np.generic):
        actual = actual.item()
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple) or len(actual) != len(expected):
            return f"{where} is not a sequence of {len(expected)}"
        pairs = [(f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(expected, actual, strict=True))]
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or set(actual) != set(expected):
            return f"{where} does not have the keys {sorted(expected)}"
        pairs = [(f"{where}[{key!r}]", expected[key], actual[key]) for key in expected]
    else:
        return None if _same_scalar(expected, actual) else f"{where} is {actual!r}, recorded was {expected!r}"
    return next((found for at, a, b in pairs if (found := difference(a, b, at)) is not None), None)


def _same_scalar(expected: Any, actual: Any) -> bool:
    if isinstance(expected, float) and isinstance(actual, float | int):
        both_nan = math.isnan(expected) and math.isnan(actual)
        return both_nan or math.isclose(expected, actual, rel_tol=RTOL, abs_tol=1e-12)
    return type(expected) is type(actual) and expected == actual


def _array_difference(expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any], where: str) -> str | None:
    if expected.shape != actual.shape:
        return f"{where} has shape {actual.shape}, recorded was {expected.shape}"
    if expected.dtype.kind != actual.dtype.kind:
        return f"{where} has dtype {actual.dtype}, recorded was {expected.dtype}"
    if expected.dtype.kind not in "fc":
        return None if np.array_equal(expected, actual) else f"{where} differs"
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 0.0
    rtol = RTOL if expected.dtype.itemsize > 4 else 1e-3
    if np.allclose(actual, expected, rtol=rtol, atol=rtol * scale, equal_nan=True):
        return None
    return f"{where} differs by up to {float(np.nanmax(np.abs(actual - expected))):.3g} at magnitude {scale:.3g}"


@dataclass
class _Packer:
    arrays: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def pack(self, value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            name = f"a{len(self.arrays)}"
            self.arrays[name] = np.array(value)
            return {"array": name}
        if isinstance(value, tuple):
            return {"tuple": [self.pack(item) for item in value]}
        if isinstance(value, list):
            return [self.pack(item) for item in value]
        if isinstance(value, dict):
            return {"dict": {key: self.pack(item) for key, item in value.items()}}
        return value


def _unpack(tree: Any, arrays: Any) -> Any:
    if isinstance(tree, list):
        return [_unpack(item, arrays) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind == "array":
        array = arrays[content]
        return array[()] if array.ndim == 0 else array
    if kind == "tuple":
        return tuple(_unpack(item, arrays) for item in content)
    return {key: _unpack(item, arrays) for key, item in content.items()}


def save(calls: list[Call], stem: Path) -> None:
    """Write ``stem.json`` and ``stem.npz``."""
    packer = _Packer()
    rows = [
        {
            "process": call.process,
            "entry": call.entry,
            "inputs": packer.pack(call.inputs),
            "output": packer.pack(call.output),
            "requests": None if call.requests is None else [_pack_request(packer, r) for r in call.requests],
        }
        for call in calls
    ]
    stem.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    np.savez_compressed(stem.with_suffix(".npz"), allow_pickle=False, **packer.arrays)


def _pack_request(packer: _Packer, request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "args": packer.pack(request.args),
        "reply": packer.pack(request.reply),
        "refusal": request.refusal,
    }


def load(stem: Path) -> list[Call]:
    """The calls that ``save`` wrote."""
    rows = json.loads(stem.with_suffix(".json").read_text())
    with np.load(stem.with_suffix(".npz"), allow_pickle=False) as arrays:
        return [
            Call(
                row["process"],
                row["entry"],
                _unpack(row["inputs"], arrays),
                _unpack(row["output"], arrays),
                None if row["requests"] is None else [_load_request(request, arrays) for request in row["requests"]],
            )
            for row in rows
        ]


def _load_request(row: dict[str, Any], arrays: Any) -> Request:
    return Request(row["method"], _unpack(row["args"], arrays), _unpack(row["reply"], arrays), row["refusal"])
