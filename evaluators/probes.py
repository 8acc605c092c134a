"""Generic cheats that no judge may reward: constant, identity, random and input-independent programs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..sandbox import Limits, Sandbox
from .evaluation import State
from .loader import TaskFolder
from .trial import MAIN, Trial, attempt

CONSTANTS = ("None", "0", "0.0", "[]", "{}", "True", "float('nan')", "''")


def cheats(folder: TaskFolder, sandbox: Sandbox, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """(name, program) of each cheat; those that imitate an output take the baseline's on a fresh smoke instance.

    Raises: SandboxError.
    """
    functions = folder.task.entry.functions
    for constant in CONSTANTS:
        yield f"constant {constant}", _program(functions, constant)
    for place in range(len(next(iter(functions.values())))):
        arguments = {
            name: [*parameters, "None"][min(place, len(parameters) - 1)] for name, parameters in functions.items()
        }
        yield f"identity of argument {place}", _program(functions, arguments)
    trial = _sample(folder, sandbox, rng)
    if trial is None or trial.output is None:
        return
    for name, value in (
        ("zeros of the right shape", imitation(trial.output, np.zeros_like)),
        ("random of the right shape", imitation(trial.output, lambda array: random_like(array, rng))),
        ("the output for another instance", trial.output),
    ):
        text = _literal(value)
        if text is not None:
            yield name, "import base64\nimport io\nimport numpy as np\n" + _program(functions, text)


def _program(functions: dict[str, tuple[str, ...]], returned: str | dict[str, str]) -> str:
    lines = []
    for name, parameters in functions.items():
        value = returned if isinstance(returned, str) else returned[name]
        lines += [f"def {name}({', '.join(parameters)}):", f"    return {value}", ""]
    return "\n".join(lines)


def _sample(folder: TaskFolder, sandbox: Sandbox, rng: np.random.Generator) -> Trial | None:
    instances = folder.task.instances(rng, "smoke") or folder.task.instances(rng, "default")
    trial = attempt(
        folder.task, sandbox, {MAIN: folder.baseline}, instances[0], Limits(cpu_seconds=60, wall_seconds=120)
    )
    return trial if trial.state is State.VALID else None


def random_like(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if array.dtype.kind in "iu":
        return rng.integers(0, max(int(array.max(initial=1)), 1) + 1, size=array.shape, dtype=array.dtype)
    if array.dtype.kind == "b":
        return rng.integers(0, 2, size=array.shape).astype(bool)
    return rng.normal(size=array.shape).astype(array.dtype)


def imitation(value: Any, change: Any) -> Any:
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(imitation(item, change) for item in value)
    if isinstance(value, dict):
        return {key: imitation(item, change) for key, item in value.items()}
    if isinstance(value, float):
        return float(change(np.array([value]))[0])
    return value


def _literal(value: Any) -> str | None:
    """A Python expression for a plain value; None for one that has none."""
    if isinstance(value, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return f"np.load(io.BytesIO(base64.b64decode('{base64.b64encode(buffer.getvalue()).decode()}')))"
    if isinstance(value, list | tuple):
        items = [_literal(item) for item in value]
        if any(item is None for item in items):
            return None
        inner = ", ".join(item for item in items if item is not None)
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if items else "()"
    if isinstance(value, dict):
        pairs = [(_literal(key), _literal(item)) for key, item in value.items()]
        if any(part is None for pair in pairs for part in pair):
            return None
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if isinstance(value, float):
        return f"float('{value!r}')"
    return repr(value) if value is None or isinstance(value, bool | int | str) else None
