"""Frames over a stream socket: a kind, a header and raw array bytes. See wire.py for what is in them."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from .wire import WireError, bytes_of, decode, encode

_PREFIX = struct.Struct("<4sIIQ")
_MAGIC = b"SPC1"
_BUFFERS_AT_ONCE = 512
"""The kernel takes 1,024 (IOV_MAX)."""
UNBOUNDED = 1 << 62
_CLOSED = -1
"""The kernel refuses it, as it would a closed descriptor, but it is never given to another file."""


class Kind(IntEnum):
    """To it: LOAD, CALL, ANSWER, REFUSED, TRACE. From it: READY, BROKEN, RETURN, RAISE, ASK. Both: REPORT.

    With a device (resident.py) also to it: DEVICE, PLACE, REHEARSE, SETTLE, RUN. From it: DONE.
    """

    LOAD = 1
    CALL = 2
    ANSWER = 3
    REFUSED = 4
    READY = 5
    BROKEN = 6
    RETURN = 7
    RAISE = 8
    ASK = 9
    TRACE = 10
    REPORT = 11
    DEVICE = 12
    PLACE = 13
    REHEARSE = 14
    SETTLE = 15
    RUN = 16
    DONE = 17


_KINDS = {int(kind): kind for kind in Kind}


class Closed(Exception):
    """The other end is gone."""


class Channel:
    """One end, by its descriptor, which it owns and which need not be open yet.

    ``wait(events)`` is called where a non-blocking socket is not ready; it may raise to give up.
    """

    def __init__(self, descriptor: int, wait: Callable[[int], None] | None = None) -> None:
        self._descriptor = descriptor
        self._wait = wait

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def send(self, *frames: tuple[Kind, Any]) -> None:
        """Raises: WireError where a value is not plain data, and then nothing is sent; Closed."""
        self.send_bytes([piece for kind, value in frames for piece in packed(kind, value)])

    def send_bytes(self, frame: Iterable[memoryview]) -> None:
        """What ``packed`` made of one or more frames. Raises: Closed."""
        buffers = list(frame)
        while buffers:
            try:
                sent = os.writev(self._descriptor, buffers[:_BUFFERS_AT_ONCE])
            except BlockingIOError:
                self._until(select.POLLOUT)
                continue
            except ConnectionError as error:
                raise Closed from error
            while buffers and sent >= len(buffers[0]):
                sent -= len(buffers.pop(0))
            if sent:
                buffers[0] = buffers[0][sent:]

    def receive(self, max_bytes: int = UNBOUNDED) -> tuple[Kind, Any]:
        """Raises: WireError for what is not a frame of plain data of at most ``max_bytes`` bytes; Closed."""
        prefix = bytearray(_PREFIX.size)
        self._fill(memoryview(prefix))
        magic, code, header_bytes, blob_bytes = _PREFIX.unpack(prefix)
        kind = _KINDS.get(code)
        if magic != _MAGIC or kind is None:
            raise WireError("not a frame")
        if header_bytes + blob_bytes > max_bytes:
            raise WireError(f"{header_bytes + blob_bytes:,} bytes, more than the limit of {max_bytes:,}")
        header = bytearray(header_bytes)
        self._fill(memoryview(header))
        value, arrays = decode(header, blob_bytes)
        for item in arrays:
            self._fill(bytes_of(item))
        return kind, value

    def _fill(self, view: memoryview) -> None:
        while view:
            try:
                size = os.readv(self._descriptor, (view,))
            except BlockingIOError:
                self._until(select.POLLIN)
                continue
            except ConnectionError as error:
                raise Closed from error
            if not size:
                raise Closed
            view = view[size:]

    def _until(self, events: int) -> None:
        if self._wait is None:
            raise BlockingIOError("a channel that nobody waits for must be on a blocking socket")
        self._wait(events)


def packed(kind: Kind, value: Any) -> list[memoryview]:
    """One frame as bytes, arrays uncopied. Raises: WireError where the value is not plain data."""
    header, *blobs = encode(value)
    if len(header) >= 1 << 32:
        raise WireError("more than 4 GiB of text or items")
    prefix = _PREFIX.pack(_MAGIC, kind, len(header), sum(map(len, blobs)))
    return [memoryview(prefix + bytes(header)), *map(memoryview, blobs)]
