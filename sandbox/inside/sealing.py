"""Inputs that lie on the device before the clock starts and cannot be read before it does.

All arrays of a call are packed into one run of 64-bit words and XORed with a keyed stream. The sealed words are moved
to the device while only trusted code has run in the process; the key comes when the clock starts. So a program that has
been loaded, compiled and warmed up in that process still meets inputs that nobody there knew.

The stream is SplitMix64's finaliser (Steele, Lea and Flood 2014, Fast Splittable Pseudorandom Number Generators) over a
counter, with a second key between its rounds. It is written in operators that numpy arrays and torch tensors share, so
that both sides run the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

ALIGNMENT = 256
"""Bytes; what a device's own allocator gives."""
CHUNK = 1 << 21
"""Words sealed at once: what is computed on the way stays in a device's cache."""
_WEYL, _FIRST, _SECOND = (value - (1 << 64) for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_KEY_BITS = 62

Key = tuple[int, int]


class Part(NamedTuple):
    """An array within the words: name, numpy's name of its dtype, shape, and place of its first byte."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


class Packed(NamedTuple):
    """``words`` (n,) int64 hold the arrays, ``rest`` is what of the inputs is no array."""

    layout: list[Part]
    words: np.ndarray
    rest: dict[str, Any]


def packed(inputs: Mapping[str, Any]) -> Packed:
    """Arrays of the top level are packed; the rest stays as it is."""
    layout, rest, offset = list[Part](), dict[str, Any](), 0
    for name, value in inputs.items():
        if not isinstance(value, np.ndarray):
            rest[name] = value
            continue
        layout.append(Part(name, value.dtype.name, value.shape, offset))
        offset += -(-value.nbytes // ALIGNMENT) * ALIGNMENT
    words = np.zeros(offset // 8, dtype=np.int64)
    for part in layout:
        value = np.ascontiguousarray(inputs[part.name])
        words.view(np.uint8)[part.offset : part.offset + value.nbytes] = value.reshape(-1).view(np.uint8)
    return Packed(layout, words, rest)


def key_of(random: bytes) -> Key:
    """From 16 random bytes."""
    bits = int.from_bytes(random)
    return bits & ((1 << _KEY_BITS) - 1), bits >> (128 - _KEY_BITS)


def toggle(words: Any, index: Any, key: Key) -> None:
    """Seal ``words`` (n,) int64 in place, or open them again; ``index`` is 0, 1, ... below ``CHUNK``, int64 too."""
    for start in range(0, len(words), max(len(index), 1)):
        part = words[start : start + len(index)]
        part ^= _stream(index[: len(part)] + start, key)


def _stream(counter: Any, key: Key) -> Any:
    """Arithmetic modulo 2^64; right shifts of signed numbers repeat the sign, which is masked away."""
    z = (counter + key[0]) * _WEYL
    z ^= (z >> 30) & ((1 << 34) - 1)
    z *= _FIRST
    z += key[1]
    z ^= (z >> 27) & ((1 << 37) - 1)
    z *= _SECOND
    z ^= (z >> 31) & ((1 << 33) - 1)
    return z
