"""KernelBench's form: a torch ``Model`` with ``get_inputs`` and ``get_init_inputs``; programs define ``ModelNew``.

On the CPU: the inputs, and the outputs that are asked for, are made in a jail of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...evaluators import CallLog, Instance, Rejected, Size, Verdict
from ...evaluators.jailed import Jail
from ...sandbox import Limits
from .algotune import said
from .inside import driver

COUNT = 3
"""Inputs of one draw."""
TOLERANCE = 1e-4
"""Absolute and relative, for single precision; a hundred times that for half."""
SEEDS = 2**31


class KernelBenchProblem:
    """The model in ``file`` makes the inputs and says what has to come out."""

    def __init__(self, folder: Path, file: str, imports: tuple[str, ...], limits: Limits) -> None:
        self._file = file
        self._jail = Jail(driver("kernelbench"), imports, folder, limits)

    def instances(self, rng: np.random.Generator, size: Size) -> list[Instance]:
        """Raises: TaskError, SandboxError."""
        count = 1 if size == "smoke" else COUNT
        return [self._made(number, int(seed)) for number, seed in enumerate(rng.integers(SEEDS, size=count), start=1)]

    def _made(self, number: int, seed: int) -> Instance:
        one = said(self._file, lambda: self._jail.call("made", {"file": self._file, "seed": seed}))
        inputs = {"init_inputs": one["init_inputs"], "inputs": one["inputs"], "seed": seed}
        return Instance(f"inputs {number}", inputs, one["expected"])

    def judge(self, instance: Instance, output: Any, log: CallLog | None) -> Verdict:
        """Whether all outputs are close to the model's. Raises: Rejected."""
        return Verdict(True, {"error": _error(instance.secret, output, "the output")})


def _error(expected: Any, output: Any, name: str) -> float:
    """The largest difference, relative to the tolerance's. Raises: Rejected where one is beyond it."""
    if isinstance(expected, list | tuple):
        if not isinstance(output, list | tuple) or len(output) != len(expected):
            raise Rejected(f"{name} must have {len(expected)} parts")
        pairs = enumerate(zip(expected, output, strict=True), start=1)
        return max((_error(want, have, f"{name}'s part {number}") for number, (want, have) in pairs), default=0.0)
    if not isinstance(expected, np.ndarray):
        if type(output) is not type(expected) or output != expected:
            raise Rejected(f"{name} is not the model's")
        return 0.0
    return _array_error(expected, output, name)


def _array_error(expected: np.ndarray, output: Any, name: str) -> float:
    if not isinstance(output, np.ndarray) or output.shape != expected.shape or output.dtype != expected.dtype:
        raise Rejected(f"{name} must be a {expected.dtype} array of shape {expected.shape}")
    if expected.dtype.kind not in "fc":
        if not np.array_equal(expected, output):
            raise Rejected(f"{name} is not the model's")
        return 0.0
    tolerance = TOLERANCE if expected.dtype.itemsize > 2 else 100 * TOLERANCE
    if not np.allclose(output, expected, atol=tolerance, rtol=tolerance, equal_nan=True):
        raise Rejected(f"{name} differs from the model's by more than {tolerance:g}")
    return float(np.nanmax(np.abs(output - expected), initial=0.0))
