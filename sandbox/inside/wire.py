"""Plain data as bytes: the only language that the trusted side and a candidate share.

A value is a header (tagged, little-endian) that names the dtype and shape of each array, and after it the arrays' raw
bytes in the same order. Decoding builds None, bool, int, float, complex, str, list, tuple, dict and plain ndarrays,
runs no code of the sender's, and checks every count against what is left before it allocates anything.
"""

from __future__ import annotations

import array
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

MAX_DEPTH = 100
MAX_ITEMS = 2_000_000
"""Of one value, in all its containers; lists of floats or of 64-bit integers are packed and count as one."""
ITEMS_PER_ARRAY = 20
"""What an array counts for: it takes that many times as long to build as a number."""
MAX_DIMENSIONS = 32
MAX_INTEGER_BYTES = 1 << 20

_SIZES = {"b": "1", "i": "1248", "u": "1248", "f": "248", "c": ("8", "16")}
DTYPES = tuple(np.dtype(kind + size) for kind, sizes in _SIZES.items() for size in sizes)
_CODES = {(dtype.kind, dtype.itemsize): code for code, dtype in enumerate(DTYPES)}
_U32, _U64, _I64, _F64 = (struct.Struct("<" + code) for code in "IQqd")
_INTEGERS: tuple[type, ...] = (int, np.integer)
_FLOATS: tuple[type, ...] = (float, np.float16, np.float32)
_COMPLEX: tuple[type, ...] = (complex, np.complex64)
_PACKED = {float: (b"D", "d"), int: (b"Q", "q")}


class WireError(Exception):
    """A value that is not plain data, is beyond the caps, or bytes that are no value."""


def encode(value: Any) -> list[bytes | memoryview]:
    """The header, and the bytes of each array that is not empty, uncopied. Raises: WireError."""
    encoder = _Encoder()
    encoder.write(value, 0)
    return [bytes(encoder.header), *(bytes_of(item) for item in encoder.arrays if item.nbytes)]


def bytes_of(item: np.ndarray) -> memoryview:
    """Of an array in C order, to be read or filled."""
    return item.reshape(-1).view(np.uint8).data if item.nbytes else memoryview(b"")


def decode(header: bytes | bytearray | memoryview, blob_bytes: int) -> tuple[Any, list[np.ndarray]]:
    """The value, and its arrays still to be filled with the ``blob_bytes`` bytes that follow. Raises: WireError."""
    decoder = _Decoder(memoryview(header), blob_bytes)
    try:
        value = decoder.read(0)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise WireError("truncated or damaged data") from error
    if decoder.position != len(header) or decoder.blob_left:
        raise WireError("more bytes than the data needs")
    return value, decoder.arrays


class _Encoder:
    def __init__(self) -> None:
        self.header = bytearray()
        self.arrays: list[np.ndarray] = []
        self.items = 0

    def write(self, value: Any, depth: int) -> None:
        self.items += 1
        if depth > MAX_DEPTH:
            raise WireError(f"nested more than {MAX_DEPTH} deep")
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS:,} items")
        if value is None:
            self.header += b"N"
        elif isinstance(value, (bool, np.bool_)):
            self.header += b"T" if value else b"F"
        elif isinstance(value, _INTEGERS):
            self._integer(int(value))
        elif isinstance(value, _FLOATS):
            self.header += b"d" + _F64.pack(value)
        elif isinstance(value, str):
            self.header += b"s"
            self._text(value)
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, (list, tuple, dict)):
            self._container(value, depth)
        elif isinstance(value, _COMPLEX):
            self.header += b"c" + _F64.pack(value.real) + _F64.pack(value.imag)
        else:
            raise WireError(f"{type(value).__name__} is not plain data")

    def _integer(self, value: int) -> None:
        if -(1 << 63) <= value < 1 << 63:
            self.header += b"i" + _I64.pack(value)
            return
        size = value.bit_length() // 8 + 1
        if size > MAX_INTEGER_BYTES:
            raise WireError("an integer of more than a mebibyte")
        self.header += b"I" + _U32.pack(size) + value.to_bytes(size, "little", signed=True)

    def _text(self, value: str) -> None:
        try:
            data = value.encode()
        except UnicodeEncodeError as error:
            raise WireError("text that is not valid Unicode") from error
        self._count(len(data))
        self.header += data

    def _count(self, count: int) -> None:
        if count >= 1 << 32:
            raise WireError("more than 4 GiB of text or items")
        self.header += _U32.pack(count)

    def _container(self, value: list[Any] | tuple[Any, ...] | dict[str, Any], depth: int) -> None:
        if isinstance(value, dict):
            self.header += b"m"
            self._count(len(value))
            for key, item in value.items():
                if not isinstance(key, str):
                    raise WireError(f"a dict key of type {type(key).__name__}; keys are text")
                self._text(key)
                self.write(item, depth + 1)
            return
        if isinstance(value, list) and self._packed(value):
            return
        self.header += b"l" if isinstance(value, list) else b"t"
        self._count(len(value))
        for item in value:
            self.write(item, depth + 1)

    def _packed(self, value: list[Any]) -> bool:
        kinds = set(map(type, value))
        tag, code = _PACKED.get(next(iter(kinds), object), (b"", ""))
        if len(kinds) != 1 or not tag:
            return False
        try:
            data = array.array(code, value).tobytes()
        except OverflowError:
            return False
        self.header += tag
        self._count(len(value))
        self.header += data
        return True

    def _array(self, value: np.ndarray) -> None:
        self.items += ITEMS_PER_ARRAY
        code = _CODES.get((value.dtype.kind, value.dtype.itemsize))
        if code is None:
            raise WireError(f"an array of dtype {value.dtype}")
        if value.ndim > MAX_DIMENSIONS:
            raise WireError(f"an array of {value.ndim} dimensions")
        plain = np.asarray(value, dtype=DTYPES[code], order="C")
        self.header += struct.pack(f"<sBB{plain.ndim}Q", b"a", code, plain.ndim, *plain.shape)
        self.arrays.append(plain)


class _Decoder:
    def __init__(self, header: memoryview, blob_bytes: int) -> None:
        self.header = header
        self.position = 0
        self.blob_left = blob_bytes
        self.items = 0
        self.arrays: list[np.ndarray] = []

    def _take(self, size: int) -> memoryview:
        if size > len(self.header) - self.position:
            raise WireError("truncated data")
        self.position += size
        return self.header[self.position - size : self.position]

    def _count(self) -> int:
        return _U32.unpack(self._take(4))[0]

    def _text(self) -> str:
        return str(self._take(self._count()), "utf-8")

    def read(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise WireError("nested too deep or too many items")
        tag = bytes(self._take(1))
        if tag in b"NTF":
            return {b"N": None, b"T": True, b"F": False}[tag]
        if tag == b"d":
            return _F64.unpack(self._take(8))[0]
        if tag == b"i":
            return _I64.unpack(self._take(8))[0]
        if tag == b"s":
            return self._text()
        if tag == b"a":
            return self._array()
        if tag in b"lt":
            items = [self.read(depth + 1) for _ in self._indices()]
            return items if tag == b"l" else tuple(items)
        if tag == b"m":
            return {self._text(): self.read(depth + 1) for _ in self._indices()}
        return self._rare(tag)

    def _rare(self, tag: bytes) -> Any:
        if tag in b"DQ":
            return array.array("d" if tag == b"D" else "q", bytes(self._take(8 * self._count()))).tolist()
        if tag == b"c":
            return complex(*struct.unpack("<2d", self._take(16)))
        if tag == b"I":
            size = self._count()
            if size > MAX_INTEGER_BYTES:
                raise WireError("an integer of more than a mebibyte")
            return int.from_bytes(self._take(size), "little", signed=True)
        raise WireError("an unknown tag")

    def _indices(self) -> Iterator[int]:
        count = self._count()
        if count > len(self.header) - self.position:
            raise WireError("truncated data")
        return iter(range(count))

    def _array(self) -> np.ndarray:
        self.items += ITEMS_PER_ARRAY
        code, dimensions = self._take(2)
        if code >= len(DTYPES) or dimensions > MAX_DIMENSIONS:
            raise WireError("an unknown dtype or too many dimensions")
        shape = struct.unpack(f"<{dimensions}Q", self._take(8 * dimensions))
        dtype = DTYPES[code]
        # The product without zeros bounds what numpy would overflow on, even for an empty array.
        if math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 1 << 62:
            raise WireError("an array that is too large")
        size = math.prod(shape) * dtype.itemsize
        if size > self.blob_left:
            raise WireError("an array larger than the bytes that follow")
        self.blob_left -= size
        value = np.empty(shape, dtype)
        self.arrays.append(value)
        return value
