"""``python -m speciate.benchmarks.fuzz``: hostile bytes for the decoder of frames.

Whatever arrives on the channel must become plain data or a WireError, with memory bounded by what was sent. With the
package atheris installed the inputs are chosen by the coverage of the decoder, else by mutation of valid frames.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import socket
import struct
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..sandbox.inside import wire
from ..sandbox.inside.channel import Channel, Closed, Kind
from ..sandbox.inside.wire import DTYPES, MAX_DEPTH, WireError, decode, encode

PLAIN = (type(None), bool, int, float, complex, str)
MAX_FRAME = 1 << 16
"""Bytes that the receiving end allows."""
_PREFIX = struct.Struct("<4sIIQ")
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, 1 << 62, (1 << 63) - 1, (1 << 64) - 1)
_TAGS = b"NTFdislamtDQcI"


class Broken(Exception):
    """The decoder did what it must never do; the message holds the input."""


@dataclass(frozen=True, slots=True)
class Tally:
    inputs: int
    values: int
    refused: int
    seconds: float


def seeds() -> list[bytes]:
    """Valid frames of every kind of value."""
    values: list[Any] = [None, True, -1, 1 << 200, 0.5, 1j, "text", [1.0, 2.0], [1, 2, 3], [None, [True]], (1, "a")]
    values += [{"k": [{}], "": ()}, np.zeros((2, 3)), np.arange(5, dtype=np.int8), np.zeros((0, 4), bool)]
    values += [np.array(1j), [np.ones(2), {"a": np.eye(2)}]]
    deep: Any = 0
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    return [_frame(kind, value) for value in [*values, deep] for kind in (Kind.RETURN, Kind.ASK)]


def _frame(kind: Kind, value: Any) -> bytes:
    header, *blobs = map(bytes, encode(value))
    return _PREFIX.pack(b"SPC1", kind, len(header), sum(map(len, blobs))) + header + b"".join(blobs)


def mutated(frame: bytes, rng: random.Random) -> bytes:
    """A few changes: bits, bytes, tags, telling integers, cuts, repeats; half the time the lengths are made to fit."""
    data = bytearray(frame)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                data[place : place + 1] = bytes([rng.choice(_TAGS)])
            case 2:
                width = rng.choice((1, 2, 4, 8))
                number = rng.choice(_INTERESTING) & ((1 << 8 * width) - 1)
                data[place : place + width] = number.to_bytes(width, "little")
            case 3:
                del data[place : place + rng.randint(1, 16)]
            case 4:
                data[place:place] = rng.randbytes(rng.randint(1, 16))
            case _:
                start = rng.randrange(len(data) + 1)
                data[place:place] = data[start : start + rng.randint(1, 64)]
    return _fitted(bytes(data), rng) if rng.random() < 0.5 else bytes(data)


def _fitted(data: bytes, rng: random.Random) -> bytes:
    body = data[_PREFIX.size :]
    blob = rng.randrange(len(body) + 1) if rng.random() < 0.3 else 0
    return _PREFIX.pack(b"SPC1", Kind.RETURN, len(body) - blob, blob) + body


def fed(data: bytes) -> bool:
    """Whether the bytes, as a header and as a frame on a socket, are a value; False where they are refused.

    Raises: Broken.
    """
    try:
        _decoded(data)
        return _received(data)
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}; input {data.hex()}") from error


def _decoded(data: bytes) -> None:
    try:
        value, arrays = decode(data, 64)
    except WireError:
        return
    _check(value)
    if sum(array.nbytes for array in arrays) != 64:
        raise ValueError("arrays that do not fit the bytes")


def _received(data: bytes) -> bool:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[:MAX_FRAME])
        theirs.shutdown(socket.SHUT_WR)
        channel = Channel(ours.detach())
        try:
            kind, value = channel.receive(MAX_FRAME)
        except (WireError, Closed):
            return False
        finally:
            channel.close()
    if not isinstance(kind, Kind):
        raise TypeError("a kind that is none")
    _check(value)
    return True


def _check(value: Any) -> None:
    """Raises: TypeError for what is not plain data."""
    if type(value) is dict:
        if not all(type(key) is str for key in value):
            raise TypeError("a key that is no text")
        value = list(value.values())
    if type(value) in (list, tuple):
        for item in value:
            _check(item)
    elif type(value) is np.ndarray:
        if value.dtype not in DTYPES or not value.flags.owndata:
            raise TypeError("an array that is not plain")
    elif type(value) not in PLAIN:
        raise TypeError(f"{type(value)} is not plain")


def by_mutation(inputs: int, seed: int) -> Tally:
    """Mutate frames that were valid, keeping some that still are. Raises: Broken."""
    rng, corpus = random.Random(seed), seeds()
    kept = len(corpus)
    values, began = 0, time.monotonic()
    for _ in range(inputs):
        data = mutated(rng.choice(corpus), rng)
        if fed(data):
            values += 1
            if len(data) < 512:
                corpus[kept:] = [*corpus[kept:][-500:], data]
    return Tally(inputs, values, inputs - values, time.monotonic() - began)


def by_coverage(inputs: int, seed: int) -> None:
    """Let atheris choose the inputs; ends the process (libFuzzer does), with a status other than 0 where one breaks."""
    atheris: Any = importlib.import_module("atheris")
    for function in (decode, *vars(wire._Decoder).values(), *vars(Channel).values()):
        if isinstance(function, types.FunctionType):
            atheris.instrument_func(function)
    rng = random.Random(seed)

    def mutate(data: bytes, size: int, own: int) -> bytes:
        return mutated(data or rng.choice(seeds()), random.Random(own))[:size]

    run: Callable[[bytes], object] = fed
    atheris.Setup(["fuzz", f"-runs={inputs}", f"-seed={seed + 1}"], run, custom_mutator=mutate)
    atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="speciate.benchmarks.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("atheris") is not None:
        by_coverage(options.inputs, options.seed)
        return
    try:
        tally = by_mutation(options.inputs, options.seed)
    except Broken as broken:
        sys.exit(f"the decoder broke: {broken}")
    json.dump({name: getattr(tally, name) for name in Tally.__slots__}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
