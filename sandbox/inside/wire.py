"""Frames of plain data: a JSON header that says the structure, and the arrays' raw bytes behind it.

Decoding never runs anything: it rebuilds None, bool, int, float, str, list, tuple, dict and numeric arrays, or raises
WireError. Numpy is imported where an array is met.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

HEAD = struct.Struct("<IQ")
"""Length of the header, length of the body."""

DTYPES = frozenset(("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"))
MAX_DEPTH = 32
MAX_ITEMS = 1_000_000
MAX_DIGITS = 4000
MAX_DIMENSIONS = 16
MAX_HEADER = 64 << 20
ALIGN = 16


class WireError(ValueError):
    """Not plain data, or larger than allowed."""


def encode(value: Any) -> list[bytes | memoryview]:
    """Pieces of one frame, to be sent one after another. Raises: WireError."""
    writer = _Writer()
    tree = writer.node(value, 0)
    header = json.dumps(tree, separators=(",", ":"), ensure_ascii=True).encode()
    return [HEAD.pack(len(header), writer.size) + header, *writer.pieces]


class _Writer:
    def __init__(self) -> None:
        self.pieces: list[bytes | memoryview] = []
        self.size = 0
        self._items = 0

    def node(self, value: Any, depth: int) -> Any:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise WireError("too deep or too many items")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value if kind is not str else _text(value)
        if kind is int:
            return _integer(value)
        if kind is float:
            return value
        if kind is list or kind is tuple:
            return ["l" if kind is list else "t", *(self.node(item, depth + 1) for item in value)]
        if kind is dict:
            return ["d", *self._items_of(value, depth)]
        return self._array(value)

    def _items_of(self, value: dict[Any, Any], depth: int) -> list[Any]:
        if not all(type(key) is str for key in value):
            raise WireError("keys of a dict must be str")
        return [[_text(key), self.node(item, depth + 1)] for key, item in value.items()]

    def _array(self, value: Any) -> list[Any]:
        import numpy as np

        if not isinstance(value, np.ndarray | np.generic):
            raise WireError(f"{type(value).__name__} is no plain data")
        array = np.ascontiguousarray(np.asarray(value)).reshape(np.shape(value))
        code = array.dtype.str[1:] if array.dtype.str[0] in "<|" else array.dtype.newbyteorder("<").str[1:]
        if code not in DTYPES:
            raise WireError(f"arrays of {array.dtype} are no plain data")
        array = array.astype("<" + code, copy=False)
        padding = -self.size % ALIGN
        if array.nbytes:
            self.pieces += [bytes(padding), memoryview(array.reshape(-1).view(np.uint8))]
            self.size += padding + array.nbytes
        return ["s" if isinstance(value, np.generic) else "a", code, list(array.shape)]


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WireError("text with lone surrogates") from None
    return value


def _integer(value: int) -> int | list[Any]:
    if -(1 << 62) < value < 1 << 62:
        return value
    if value.bit_length() > 4 * MAX_DIGITS:
        raise WireError("integer too long")
    return ["i", hex(value)]


def decode(header: bytes, body: bytearray) -> Any:
    """The value of a frame; its arrays share the memory of ``body`` and nothing else. Raises: WireError."""
    try:
        tree = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise WireError("header is not JSON") from error
    reader = _Reader(memoryview(body))
    value = reader.value(tree, 0)
    if reader.offset != len(body):
        raise WireError("body and header disagree")
    return value


class _Reader:
    def __init__(self, body: memoryview) -> None:
        self._body = body
        self.offset = 0
        self._items = 0

    def value(self, node: Any, depth: int) -> Any:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise WireError("too deep or too many items")
        if node is None or isinstance(node, bool | int | float):
            return node
        if isinstance(node, str):
            return _text(node)
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            raise WireError("unknown node")
        read = _READERS.get(node[0])
        if read is None:
            raise WireError("unknown node")
        return read(self, node, depth)

    def sequence(self, node: list[Any], depth: int) -> Any:
        items = [self.value(item, depth + 1) for item in node[1:]]
        return items if node[0] == "l" else tuple(items)

    def mapping(self, node: list[Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for pair in node[1:]:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise WireError("unknown node")
            result[_text(pair[0])] = self.value(pair[1], depth + 1)
        return result

    def integer(self, node: list[Any], depth: int) -> int:
        if not (len(node) == 2 and isinstance(node[1], str) and len(node[1]) <= MAX_DIGITS + 3):
            raise WireError("unknown node")
        try:
            return int(node[1], 16)
        except ValueError as error:
            raise WireError("unknown node") from error

    def array(self, node: list[Any], depth: int) -> Any:
        import numpy as np

        if not (len(node) == 3 and node[1] in DTYPES and isinstance(node[2], list) and len(node[2]) <= MAX_DIMENSIONS):
            raise WireError("unknown array")
        shape = node[2]
        if not all(type(length) is int and 0 <= length < 1 << 48 for length in shape):
            raise WireError("unknown array")
        dtype = np.dtype("<" + node[1])
        size = math.prod(shape) * dtype.itemsize
        if size:
            self.offset += -self.offset % ALIGN
        if size > len(self._body) - self.offset:
            raise WireError("array longer than its body")
        if any(length > MAX_HEADER for length in shape) and not size:
            raise WireError("unknown array")
        flat = np.frombuffer(self._body, dtype, size // dtype.itemsize, self.offset) if size else np.empty(0, dtype)
        self.offset += size
        array = flat.reshape(shape)
        if node[0] == "s":
            if shape:
                raise WireError("unknown array")
            return array[()]
        return array


_READERS: dict[str, Callable[[_Reader, list[Any], int], Any]] = {
    "l": _Reader.sequence,
    "t": _Reader.sequence,
    "d": _Reader.mapping,
    "i": _Reader.integer,
    "a": _Reader.array,
    "s": _Reader.array,
}
