"""A machine that streams over arrays: kernels as data, run in float32, and a roofline model of their time.

A kernel is a list of passes. A pass goes over the arrays x and y in vectors of 16 lanes, forwards or backwards, and
runs its body on each vector; registers keep their values from vector to vector and from pass to pass.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...evaluators import Rejected
from ...evaluators.checks import as_number

Array = np.ndarray[Any, Any]
LANES = 16
MOST_PASSES = 8
MOST_OPERATIONS = 400
MOST_REGISTERS = 32
BLOCK = 256
"""Numbers in a block of the cache."""

ARGUMENTS = {
    **dict.fromkeys(("add", "sub", "mul", "div", "max", "min", "ldexp"), 2),
    **dict.fromkeys(("fma", "fms"), 3),
    **dict.fromkeys(("rint", "exp2"), 1),
    "select": 4,
}
"""Operations on registers and numbers; besides there are load, store and, after a pass, rotate."""
COSTS = {"exp2": 6, "div": 8}
"""In vector operations, where it is not 1."""
WIDEST_EXP2 = 0.51


@dataclass(frozen=True)
class Operation:
    """``name``, the register written (of ``store``: the array) and the operands: registers, numbers, arrays."""

    name: str
    target: str
    operands: tuple[str | float, ...]

    @property
    def cost(self) -> int:
        return COSTS.get(self.name, 1)


@dataclass(frozen=True)
class Pass:
    backwards: bool
    init: Mapping[str, float]
    body: tuple[Operation, ...]
    reduce: tuple[Operation, ...]


@dataclass(frozen=True)
class Machine:
    """``cache`` in numbers of 4 bytes (x and y share it), ``bandwidth`` in bytes and ``speed`` in operations a ns."""

    cache: int
    bandwidth: float
    speed: float


def parsed(kernel: Any) -> list[Pass]:
    """The kernel, checked: names, operands, and that every register is written before it is read. Raises: Rejected."""
    if not isinstance(kernel, list | tuple) or not 1 <= len(kernel) <= MOST_PASSES:
        raise Rejected(f"the kernel must be a list of 1 to {MOST_PASSES} passes")
    passes, known = [], set()
    for place, item in enumerate(kernel, 1):
        passes.append(_parsed_pass(item, f"pass {place}", known))
    if sum(len(one.body) + len(one.reduce) for one in passes) > MOST_OPERATIONS:
        raise Rejected(f"the kernel has more than {MOST_OPERATIONS} operations")
    if len(known) > MOST_REGISTERS:
        raise Rejected(f"the kernel uses more than {MOST_REGISTERS} registers")
    return passes


def _parsed_pass(item: Any, where: str, known: set[str]) -> Pass:
    if not isinstance(item, dict) or set(item) != {"direction", "init", "body", "reduce"}:
        raise Rejected(f"{where} must be a dict with the keys direction, init, body and reduce")
    if not isinstance(item["direction"], int) or item["direction"] not in (1, -1) or not isinstance(item["init"], dict):
        raise Rejected(f"{where}: direction must be 1 or -1, and init a dict from registers to numbers")
    init = {_register(name, where): as_number(value, name=f"{where}: {name}") for name, value in item["init"].items()}
    known.update(init)
    body = _parsed_operations(item["body"], f"{where}, body", known, {*ARGUMENTS, "load", "store"})
    reduce = _parsed_operations(item["reduce"], f"{where}, reduce", known, {*ARGUMENTS, "rotate"})
    return Pass(item["direction"] == -1, init, body, reduce)


def _parsed_operations(items: Any, where: str, known: set[str], allowed: set[str]) -> tuple[Operation, ...]:
    if not isinstance(items, list | tuple) or len(items) > MOST_OPERATIONS:
        raise Rejected(f"{where} must be a list of at most {MOST_OPERATIONS} operations")
    made = []
    for item in items:
        if not _named(item) or item[0] not in allowed:
            raise Rejected(f"{where}: every operation is a list [name, target, operands ...] with a name allowed there")
        name, target, *operands = item
        if len(operands) != ARGUMENTS.get(name, 2 if name == "rotate" else 1):
            raise Rejected(f"{where}: {name} has {len(operands)} operands")
        if name == "load" and (not isinstance(operands[0], str) or operands[0] not in ("x", "y")):
            raise Rejected(f"{where}: load reads x or y")
        if name == "store" and target != "y":
            raise Rejected(f"{where}: store writes y")
        if name == "rotate":
            operands[1] = float(as_number(operands[1], name=f"{where}: the lanes of rotate", low=0, high=LANES - 1))
        if name != "load":
            operands = [_operand(operand, where, known) for operand in operands]
        if name != "store":
            known.add(_register(target, where))
        made.append(Operation(name, target, tuple(operands)))
    return tuple(made)


def _named(item: Any) -> bool:
    """Whether an operation has a name, a target and operands."""
    return isinstance(item, list | tuple) and len(item) >= 3 and isinstance(item[0], str) and isinstance(item[1], str)


def _register(name: Any, where: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 20 or name in ("x", "y"):
        raise Rejected(f"{where}: a register's name is a short identifier, not x or y")
    return name


def _operand(operand: Any, where: str, known: set[str]) -> str | float:
    if not isinstance(operand, str):
        return as_number(operand, name=f"{where}: an operand")
    if operand not in known:
        raise Rejected(f"{where}: '{operand[:20]}' is read before it is written")
    return operand


def run(passes: Sequence[Pass], x: Array) -> Array:
    """y float32 (rows, n) after the kernel has run on each row of x float32 (rows, n), n a multiple of 16."""
    arrays = {"x": x, "y": np.zeros_like(x)}
    registers: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for one in passes:
            for name, value in one.init.items():
                registers[name] = np.full((len(x), LANES), value, np.float32)
            starts = range(0, x.shape[1], LANES)
            steps = [_step(operation, registers, arrays) for operation in one.body]
            for start in reversed(starts) if one.backwards else starts:
                for step in steps:
                    step(start)
            for operation in one.reduce:
                _step(operation, registers, arrays)(0)
    return arrays["y"]


def _step(operation: Operation, registers: dict[str, Array], arrays: dict[str, Array]) -> Callable[[int], None]:
    """The operation as a function of the vector's first place."""
    name, target = operation.name, operation.target
    if name == "load":
        array = arrays[str(operation.operands[0])]

        def load(start: int) -> None:
            registers[target] = array[:, start : start + LANES].copy()

        return load
    shape = (len(arrays["x"]), LANES)
    operands = [item if isinstance(item, str) else np.full(shape, item, np.float32) for item in operation.operands]

    def values() -> list[Array]:
        return [registers[item] if isinstance(item, str) else item for item in operands]

    if name == "store":

        def store(start: int) -> None:
            arrays["y"][:, start : start + LANES] = values()[0]

        return store
    compute = FUNCTIONS[name]

    def calculate(start: int) -> None:
        registers[target] = compute(*values())

    return calculate


def _fma(a: Any, b: Any, c: Any) -> Array:
    """Products of float32 are exact in float64, so that a sum is rounded to float32 once (and to float64 before)."""
    return np.asarray(np.multiply(a, b, dtype=np.float64) + c, np.float32)


def _exp2(f: Any) -> Array:
    return np.where(np.abs(f) <= WIDEST_EXP2, np.exp2(f), np.float32("nan")).astype(np.float32)


def _ldexp(a: Any, e: Any) -> Array:
    """a 2^e for a whole e; results below the normal range become 0."""
    scaled = np.multiply(a, np.exp2(np.rint(np.clip(e, -600, 600)).astype(np.float64)))
    return np.where(np.abs(scaled) < 2.0**-126, 0.0, scaled).astype(np.float32)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "rint": np.rint,
    "ldexp": _ldexp,
    "exp2": _exp2,
    "fma": _fma,
    "fms": lambda a, b, c: _fma(a, b, np.negative(c)),
    "select": lambda a, b, c, d: np.where(np.less(a, b), c, d).astype(np.float32),
    "rotate": lambda a, k: np.roll(a, -int(k[0, 0]), axis=-1),
}


@dataclass(frozen=True)
class Cost:
    """``ns``, ``bytes`` past the cache and vector ``operations``, all per number of x."""

    ns: float
    bytes: float
    operations: float


def modelled(passes: Sequence[Pass], n: int, machine: Machine) -> Cost:
    """A pass takes the longer of its transfers and its operations; what is done once after a pass is free.

    The cache holds the blocks used last. A block of x or y that is not there is fetched when it is read; a changed
    block of y is written back when it leaves the cache, and at the end.
    """
    cache: OrderedDict[tuple[str, int], bool] = OrderedDict()
    ns = moved = worked = 0.0
    for place, one in enumerate(passes):
        blocks = range(n // BLOCK)
        transfers = 0
        for block in reversed(blocks) if one.backwards else blocks:
            for operation in one.body:
                if operation.name in ("load", "store"):
                    transfers += _touched(cache, operation, block, machine.cache // BLOCK)
        if place == len(passes) - 1:
            transfers += sum(cache.values())
        volume = 4.0 * BLOCK * transfers
        work = sum(operation.cost for operation in one.body) * n / LANES
        ns += max(volume / machine.bandwidth, work / machine.speed)
        moved, worked = moved + volume, worked + work
    return Cost(ns / n, moved / n, worked / n)


def _touched(cache: OrderedDict[tuple[str, int], bool], operation: Operation, block: int, capacity: int) -> int:
    """Blocks moved by a load or a store."""
    stored = operation.name == "store"
    key = (operation.target if stored else str(operation.operands[0]), block)
    moved = int(key not in cache and not stored)
    cache[key] = cache.pop(key, False) or stored
    if len(cache) > capacity:
        _, changed = cache.popitem(last=False)
        moved += int(changed)
    return moved
