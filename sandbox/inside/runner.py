"""The candidate's side: load its files, answer calls, pass oracle requests on. Nothing it says is believed outside."""

from __future__ import annotations

import errno
import importlib
import importlib.abc
import importlib.machinery
import os
import socket
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .stream import receive, send
from .wire import WireError

MAX_MESSAGE = 2000
PERMISSION = (errno.EPERM, errno.EACCES, errno.EROFS)


class OracleError(Exception):
    """What the oracle answered instead of a value."""


class OracleProxy:
    """``oracle.method(*args)`` asks the trusted side and waits for its answer."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._number = 0

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)

        def ask(*args: Any, **kwargs: Any) -> Any:
            self._number += 1
            send(self._channel, ["ask", self._number, method, list(args), kwargs])
            kind, value = receive(self._channel)
            if kind == "refused":
                raise OracleError(value)
            return value

        return ask


class Files(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the candidate's files by name."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {name.removesuffix(".py"): text for name, text in files.items()}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in self._files else None

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._files[module.__name__], f"{module.__name__}.py", "exec"), module.__dict__)


def serve(descriptor: int) -> None:
    """Take the files, then answer calls until the other end closes; the first call loads the candidate's code."""
    channel = socket.socket(fileno=descriptor)
    sys.meta_path.insert(0, Files(receive(channel)))
    oracle = OracleProxy(channel)
    while True:
        try:
            entry, inputs, with_oracle = receive(channel)
        except EOFError:
            return
        try:
            function = getattr(importlib.import_module("program"), entry)
            output = function(**inputs, oracle=oracle) if with_oracle else function(**inputs)
        except BaseException as error:
            _raised(channel, error)
            continue
        try:
            send(channel, ["return", output])
        except WireError as error:
            send(channel, ["raise", "malformed", f"the output is no plain data: {error}"])


def _raised(channel: socket.socket, error: BaseException) -> None:
    sys.stdout.flush()
    if isinstance(error, MemoryError):
        kind = "memory"
    elif isinstance(error, OSError) and error.errno in PERMISSION:
        kind = "forbidden"
    else:
        kind = "crashed"
    send(channel, ["raise", kind, _described(error)])


def _described(error: BaseException) -> str:
    """Type, message and the line of the candidate's file where it happened."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "program.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    where = f" (line {line})" if line else ""
    return f"{type(error).__name__}{where}: {str(error)[:MAX_MESSAGE]}".encode("utf-8", "replace").decode()


def run(descriptor: int) -> None:
    """``serve`` as the whole of a process: it never returns."""
    try:
        serve(descriptor)
        sys.stdout.flush()
    finally:
        os._exit(0)
