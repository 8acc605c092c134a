"""The zygote of a container: it has inherited no descriptor, so it connects to the trusted side's socket."""

from __future__ import annotations

import socket

from . import zygote

SOCKET = "/jail/socket"


def main(argument: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as trusted:
        trusted.connect(SOCKET)
        control = trusted.detach()
    zygote.run(zygote.Setting.parse(argument, control=control))
