"""What a recorder keeps: the statements that ran, the calls, and who last changed an object. All of it bounded."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from .summary import Summary, summary

MAX_LINES = 400
MAX_NAMES = 12
"""Of one statement or frame."""
MAX_CALLS = 40
_MAX_SAMPLES = 8
_MAX_CHANGED = 64
_UNCHANGED = (bool, int, float, complex, str, tuple, ModuleType)
Key = tuple[str, int]
"""A statement: (file, first line)."""


@dataclass(slots=True)
class Line:
    """A statement with all its visits."""

    key: Key
    visits: int = 0
    seconds: float = 0.0
    asks: int = 0
    """Requests to the oracle."""
    uses: set[Key] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    values: dict[str, list[tuple[int, Summary]]] = field(default_factory=dict)
    """Name -> (visit, value after it), of visits 1, 2, 4, 8 and so on, and of the last one where it was seen."""

    def keep(self, name: str, value: Any) -> None:
        if name not in self.values and len(self.values) >= MAX_NAMES:
            return
        kept = self.values.setdefault(name, [])
        if kept and kept[-1][0] == self.visits:
            return
        if len(kept) >= _MAX_SAMPLES:
            del kept[_MAX_SAMPLES // 2]
        kept.append((self.visits, summary(value)))

    def told(self, numbers: Mapping[Key, int]) -> dict[str, Any]:
        samples = [(name, visit, value) for name, kept in self.values.items() for visit, value in kept]
        return {
            "file": self.key[0],
            "line": self.key[1],
            "visits": self.visits,
            "seconds": self.seconds,
            "asks": self.asks,
            "uses": sorted(numbers[key] for key in self.uses if key in numbers),
            "inputs": sorted(self.inputs),
            "values": [{"name": name, "visit": visit, "value": value} for name, visit, value in samples],
        }


@dataclass(slots=True)
class Call:
    """A function of the candidate's, with its first arguments and what it returned at calls 1, 2, 4 and so on."""

    file: str
    line: int
    count: int = 0
    arguments: dict[str, Summary] = field(default_factory=dict)
    returned: Summary | None = None

    def told(self, name: str) -> dict[str, Any]:
        return {
            "function": name,
            "file": self.file,
            "line": self.line,
            "count": self.count,
            "arguments": self.arguments,
            "returned": self.returned,
        }


class Changes:
    """Which statement last changed an object, by whatever name and through whatever view of an array."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, tuple[Any, Key]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._last)

    def note(self, value: Any, key: Key) -> None:
        root = _root(value)
        if root is None or isinstance(root, _UNCHANGED) or callable(root):
            return
        try:
            held: Any = weakref.ref(root)
        except TypeError:
            held = root  # lists and dicts; kept, so that no other object gets their id
        self._last.pop(id(root), None)
        self._last[id(root)] = (held, key)
        if len(self._last) > _MAX_CHANGED:
            self._last.popitem(last=False)

    def last(self, value: Any) -> Key | None:
        held, key = self._last.get(id(_root(value)), (None, None))
        return None if isinstance(held, weakref.ref) and held() is None else key


def _root(value: Any) -> Any:
    """The array that owns the memory of a view."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return value


def powers_of_two(count: int) -> bool:
    return not count & (count - 1)
