"""Opening a sandbox and running candidate processes in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from .device import Slot
from .limits import Limits
from .on_device import DeviceProcess
from .outcome import SandboxError
from .process import Process
from .slot import Zygote, start_zygote
from .spec import Backend, SandboxSpec, Tier

P = TypeVar("P", bound=Process)


def open_sandbox(spec: SandboxSpec) -> Sandbox:
    """One slot: a jail with a warm zygote in it.

    Raises: NoJail where this machine cannot contain candidates; SandboxError where an import is not installed.
    """
    return Sandbox(spec, start_zygote(spec))


class Sandbox:
    """Runs candidates, each in a fresh fork of a zygote that never ran one. To be used by one thread at a time."""

    def __init__(self, spec: SandboxSpec, zygote: Zygote) -> None:
        self._spec = spec
        self._zygote = zygote
        self.tier = _tier(spec, zygote)

    @property
    def pid(self) -> int:
        """The zygote's, as this machine numbers it."""
        return self._zygote.pid

    @contextlib.contextmanager
    def process(self, files: Mapping[str, str], limits: Limits) -> Iterator[Process]:
        """A fresh process with these files (name -> source; ``program.py`` defines the entries).

        Raises: SandboxError where it could not be started or its end could not be seen.
        """
        with self._forked(Process, files, limits) as process:
            yield process

    @contextlib.contextmanager
    def device_process(self, files: Mapping[str, str], limits: Limits) -> Iterator[DeviceProcess]:
        """As ``process``, with the spec's device, which no other one of this machine's candidates has meanwhile."""
        device = self._spec.device
        if device is None:
            raise SandboxError("this sandbox was opened without a device")
        make = partial(DeviceProcess, device)
        with Slot(device).taken(), self._forked(make, files, limits) as process:
            yield process

    @contextlib.contextmanager
    def _forked(self, make: Callable[..., P], files: Mapping[str, str], limits: Limits) -> Iterator[P]:
        process = self._fork(make, files, limits)
        try:
            yield process
        finally:
            process.finish()

    def _fork(self, make: Callable[..., P], files: Mapping[str, str], limits: Limits) -> P:
        """A started process, from a new zygote where the old one has died."""
        try:
            return _started(make(self._zygote, files, limits))
        except SandboxError:
            self._zygote.close()
            self._zygote = start_zygote(self._spec)
            return _started(make(self._zygote, files, limits))

    def close(self) -> None:
        self._zygote.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started(process: P) -> P:
    """Raises: SandboxError where it does not come up; nothing is left of it then."""
    try:
        process.start()
    except SandboxError:
        with contextlib.suppress(SandboxError):
            process.finish()
        raise
    return process


def _tier(spec: SandboxSpec, zygote: Zygote) -> Tier:
    if spec.backend is Backend.UNSAFE:
        return Tier.UNSAFE
    if spec.device is not None:
        return Tier.GPU if spec.device.kind == "cuda" else Tier.CPU_DEVICE
    if spec.shared:
        return Tier.SHARED
    if spec.backend is Backend.DOCKER:
        return Tier.DOCKER
    return Tier.FULL if zygote.filtered else Tier.NAMESPACES
