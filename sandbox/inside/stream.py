"""Whole frames over a blocking socket: the candidate's end of the channel."""

from __future__ import annotations

import socket
from typing import Any

from .wire import HEAD, decode, encode


def send(channel: socket.socket, value: Any) -> None:
    """Raises: WireError for what is no plain data (nothing is sent then)."""
    for piece in encode(value):
        channel.sendall(piece)


def receive(channel: socket.socket) -> Any:
    """Raises: EOFError when the other end is closed."""
    header, body = HEAD.unpack(_exactly(channel, HEAD.size))
    return decode(bytes(_exactly(channel, header)), _exactly(channel, body))


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return data
