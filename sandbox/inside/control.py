"""What the trusted side and its zygote say to each other: one short message of a fixed form per SOCK_SEQPACKET packet.

Only these two speak here, so both ends are believed; what candidates say goes through channel.py and wire.py.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MESSAGE_BYTES = 4096
UNBOUNDED = (1 << 64) - 1
"""What the kernel takes for no limit."""
_NUMBER, _BOUNDS = struct.Struct("<I"), struct.Struct("<dQQII")
SPAWN_BYTES = _NUMBER.size + _BOUNDS.size
_SPAWNED = struct.Struct("<cI")
_ENDED = struct.Struct("<cIidQ")
_READY = struct.Struct("<c?")


class Bounds(NamedTuple):
    """Limits of one candidate as the kernel takes them; see ``speciate.sandbox.Limits``."""

    cpu_seconds: float
    address_space: int
    """Of the warm zygote and what the candidate may add; ``UNBOUNDED`` where only a control group bounds memory."""
    tmp_bytes: int
    threads: int
    open_files: int


class Ready(NamedTuple):
    """The zygote is warm; its pidfd is attached."""

    filtered: bool
    """Whether candidates run under a system call filter."""


class Failed(NamedTuple):
    """The zygote could not be prepared."""

    message: str


class Spawned(NamedTuple):
    """A fork was made; its pidfd is attached."""

    number: int


class Ended(NamedTuple):
    """How a process ended, from the zygote, which waited for it. ``peak_memory`` is in bytes."""

    number: int
    status: int
    cpu_seconds: float
    peak_memory: int


Message = Ready | Failed | Spawned | Ended


def pack_spawn(number: int, bounds: Bounds) -> bytes:
    return _NUMBER.pack(number) + _BOUNDS.pack(*bounds)


def unpack_spawn(data: bytes) -> tuple[int, bytes]:
    """The number and the bounds, still packed: most candidates have those of the one before."""
    return int.from_bytes(data[: _NUMBER.size], "little"), data[_NUMBER.size :]


def unpack_bounds(data: bytes) -> Bounds:
    return Bounds(*_BOUNDS.unpack(data))


def pack(message: Message) -> bytes:
    match message:
        case Ready():
            return _READY.pack(b"R", *message)
        case Failed(text):
            return b"F" + text.encode(errors="replace")[: MESSAGE_BYTES - 1]
        case Spawned():
            return _SPAWNED.pack(b"S", *message)
        case Ended():
            return _ENDED.pack(b"E", *message)


def unpack(data: bytes) -> Message:
    """Raises: ValueError for what ``pack`` never makes."""
    match data[:1]:
        case b"S":
            return Spawned(*_SPAWNED.unpack(data)[1:])
        case b"E":
            return Ended(*_ENDED.unpack(data)[1:])
        case b"R":
            return Ready(*_READY.unpack(data)[1:])
        case b"F":
            return Failed(data[1:].decode(errors="replace"))
    raise ValueError("not a message of the zygote")
