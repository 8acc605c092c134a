"""The zygote of a container: it has inherited no descriptor, so it connects to the trusted side's socket."""

from __future__ import annotations

import json
import os
import socket

from . import zygote

SOCKET = "/jail/socket"


def main(argument: str) -> None:
    """``argument``: JSON of a ``Setting`` without its control, and ``environment``, the names that may stay."""
    told = json.loads(argument)
    for name in set(os.environ).difference(told.pop("environment")):
        del os.environ[name]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as trusted:
        trusted.connect(SOCKET)
        control = trusted.detach()
    zygote.run(zygote.Setting.of(told | {"control": control}))
