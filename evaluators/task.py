"""What a task is: a documented algorithm with its instances, its judge and its objective."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..sandbox import Limits
from .oracle import CallLog, Oracle

Size = Literal["smoke", "default", "gpu"]
Style = Literal["function", "oracle", "staged", "rounds"]
Scale = Literal["log", "linear"]
Precision = Literal["bfloat16", "tf32", "float32", "float64"]
Metrics = Mapping[str, float]


class Direction(StrEnum):
    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Measure(StrEnum):
    """Who measures the objective: the judge (a metric of its verdict) or the harness (outside the candidate)."""

    METRIC = "metric"
    CPU_SECONDS = "cpu_seconds"
    WALL_SECONDS = "wall_seconds"
    DEVICE_SECONDS = "device_seconds"
    """Of a task with ``limits.gpus``: from inputs on the device to results in the host's memory, without the way."""
    PEAK_MEMORY = "peak_memory"
    ORACLE_COST = "oracle_cost"

    @property
    def timed(self) -> bool:
        """Whether the value is noisy, so that baseline and candidate must alternate on the same inputs."""
        return self in (Measure.CPU_SECONDS, Measure.WALL_SECONDS, Measure.DEVICE_SECONDS)


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    year: int


@dataclass(frozen=True)
class Entry:
    """The function(s) a program must define, written as Python: ``def solve(C: np.ndarray, k: int) -> np.ndarray``.

    A staged task writes two signatures on two lines. The first one is the entry's ``name``.
    """

    signature: str

    @cached_property
    def functions(self) -> dict[str, tuple[str, ...]]:
        """Function name -> parameter names, in the order written."""
        stubs = [line.rstrip(":") + ": ..." for line in self.signature.strip().splitlines() if line.strip()]
        nodes = [node for stub in stubs for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)]
        return {node.name: tuple(arg.arg for arg in node.args.args + node.args.kwonlyargs) for node in nodes}

    @property
    def name(self) -> str:
        return next(iter(self.functions))


@dataclass(frozen=True, slots=True)
class Instance:
    """One problem: ``inputs`` is what the candidate receives as keyword arguments, ``secret`` only the judge sees."""

    name: str
    inputs: Mapping[str, Any]
    secret: Any = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one output. ``note`` is shown to proposers and so never holds a secret."""

    valid: bool
    metrics: Metrics = field(default_factory=dict)
    note: str = ""

    @classmethod
    def invalid(cls, note: str, **metrics: float) -> Verdict:
        return cls(valid=False, metrics=metrics, note=note)


@dataclass(frozen=True, slots=True)
class Constraint:
    """``metric <= bound`` (or ``>=``) on every instance; ``bound`` may be a factor of the baseline's or reference's."""

    metric: str
    relation: Literal["<=", ">="]
    bound: float
    relative_to: Literal["baseline", "reference"] | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """What is optimised and how it becomes a score (0 = baseline, 1 = reference).

    ``scale="log"`` compares ratios and averages geometrically (values must be positive; ``floor`` is added to them
    where the reference may be exact), ``"linear"`` compares differences and averages arithmetically.
    With ``measure=METRIC`` the value is the judge's metric called ``name``.
    """

    name: str
    direction: Direction
    scale: Scale
    measure: Measure = Measure.METRIC
    floor: float = 0.0
    unit: str = ""
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One axis of the behaviour space, with fixed bounds. Values outside are clipped to the edge bins.

    ``name`` is a metric of the judge, or one of the harness's own: ``code_size`` (AST nodes), ``cpu_seconds``,
    ``peak_memory``, ``oracle_cost``.
    """

    name: str
    low: float
    high: float
    bins: int = 10
    scale: Scale = "linear"


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """What a candidate may use for one instance, and which packages it may import.

    ``cpu_times_baseline`` replaces ``run.cpu_seconds`` by a multiple of what the baseline used on this machine.
    ``imports`` are module names (``"numpy"``, ``"scipy.optimize"``): they are warm in the jail, and of the installed
    packages only those that they belong to are visible there.
    """

    run: Limits = field(default_factory=Limits)
    cpu_times_baseline: float | None = None
    imports: tuple[str, ...] = ("numpy",)
    cpus: float = 1.0
    gpus: float = 0.0
    """What one evaluation takes of a cluster's node: parts of a device are allowed. Above 0, a program's arrays are
    torch tensors on a GPU, which no other evaluation uses meanwhile."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What counts as 1 on the scale of a task that has no reference: a gain over the baseline, and its name.

    ``gain`` is a difference, or the log of a ratio, as the objective's scale has it.
    """

    gain: float
    name: str


OPTIONAL_IMPORTS = frozenset({"triton"})
"""Of a task with ``limits.gpus``: compilers for GPUs, which a machine without one need not have installed."""

Judge = Callable[[Instance, Any, CallLog | None], Verdict]
Call = Callable[..., Any]
"""``call(entry, inputs, oracle=None) -> output``: runs an entry in a fresh jailed process (see styles.py)."""


@dataclass(frozen=True)
class Task:
    """A task as its ``task.py`` defines it; the folder adds baseline, reference and known programs."""

    id: str
    family: str
    title: str
    paper: Paper
    entry: Entry
    statement: str
    instances: Callable[[np.random.Generator, Size], Sequence[Instance]]
    judge: Judge
    objective: Objective
    descriptors: tuple[Descriptor, ...]
    style: Style = "function"
    kind: Literal["task", "engine", "both"] = "task"
    limits: TaskLimits = field(default_factory=TaskLimits)
    oracle: Callable[[Instance], Oracle] | None = None
    drive: Callable[[Instance, Any], Any] | None = None
    """Rounds and staged tasks: ``drive(instance, session) -> output`` runs the parties (see styles.py)."""
    floor: Callable[[Instance], float] | None = None
    flops: Callable[[Instance], float] | None = None
    """The fewest floating-point operations with which a correct program can answer an instance."""
    bytes: Callable[[Instance], float] | None = None
    """The fewest different bytes that it must read or write: ``input_bytes`` are those that arrive in any case."""
    precision: Precision = "bfloat16"
    """The lowest precision in which a correct program can do the ``flops``."""
    suspicious_ratio: float = 10.0
    repeats: int = 3
    """Fresh draws of instances that a clocked program is timed on; more where they hold too few (see timing.py)."""
    claim: str = ""
    """One sentence: what the paper claims and what of it is measured here."""
    unit: Unit | None = None
    """Of a task without ``reference.py``, such as one of another system (see tasks/peers)."""
    shared: bool = False
    """Whether the task's own evaluator runs in the program's process, so that a score is only as trusted as that."""
