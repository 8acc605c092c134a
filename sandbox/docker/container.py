"""One warm container with a zygote in it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..inside.attached import SOCKET
from ..jail import ENVIRONMENT, INSIDE, boot
from ..limits import MIB, Limits
from ..outcome import SandboxError
from ..spec import SandboxSpec
from ..text import MAX_TEXT, bounded_text
from .engine import asking, connect
from .image import find_image
from .rootfs import SITE

if TYPE_CHECKING:
    from docker.models.containers import Container as Running

_CODE = str(Path(SOCKET).parent)
_SHARED = ("/tmp", "/dev/shm")
_EMPTY = "empty"
_NOBODY = 65534
_CONNECT_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_USUAL = Limits()
_OVERHEAD_BYTES = 1024 * MIB
"""The zygote, what its forks copy of it, and the files of one candidate. The exact limit is the process's own."""
_PIDS = _USUAL.threads + 8
_ANY_THREADS = 1 << 20
"""The kernel counts RLIMIT_NPROC over all processes of a user on the machine; the container's own limit holds here."""


class Container:
    """An ``Enclosure``. Raises: NoJail where there is no engine or image; SandboxError where it does not start."""

    control: socket.socket

    def __init__(self, spec: SandboxSpec) -> None:
        self._memory_bytes = _USUAL.memory_bytes
        self._client = connect()
        self._folder = Path(tempfile.mkdtemp(prefix="speciate-"))
        self._running: Running | None = None
        self._written: Iterable[bytes] = ()
        with contextlib.ExitStack() as undo:
            undo.callback(self._remove)
            image = find_image(self._client, spec.imports)
            with _listener(self._offer(spec)) as listener:
                with asking("the container could not be started"):
                    created = self._client.containers.create(image, **self._options(spec))
                    self._running = created
                    self._written = created.attach(stdout=True, stderr=True, stream=True)
                    created.start()
                self.control = self._accept(listener, created)
            undo.pop_all()

    def enclose(self, pid: int, resident: int) -> None:
        """The container is one."""

    def admit(self, limits: Limits) -> Limits:
        """The container's memory limit only grows: lowering it under what caches hold would fail."""
        if limits.memory_bytes > self._memory_bytes and self._running is not None:
            self._memory_bytes = limits.memory_bytes
            total = limits.memory_bytes + _OVERHEAD_BYTES
            with asking("the container's memory limit could not be raised"):
                self._running.update(mem_limit=total, memswap_limit=total)
        return dataclasses.replace(limits, threads=_ANY_THREADS)

    def last_words(self) -> str:
        """Of a traceback its last line."""
        with asking("the container ended without a word"):
            lines = bounded_text(b"".join(self._written)[-MAX_TEXT:]).strip().splitlines()
        return lines[-1] if lines else "the container ended without a word"

    def close(self) -> None:
        self.control.close()
        self._remove()

    def _remove(self) -> None:
        """Where the engine is gone, the zygote has seen the hang-up, and ends with all that is in the container."""
        with contextlib.suppress(SandboxError), asking("the container could not be removed"):
            if self._running is not None:
                self._running.remove(force=True)
        self._client.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _offer(self, spec: SandboxSpec) -> Path:
        """The only folder of this machine that the container sees: the runner's code, helpers and the socket."""
        offered = self._folder / "jail"
        offered.mkdir()
        for name, source in (("inside", INSIDE), ("helpers", spec.helpers)):
            if source is not None:
                shutil.copytree(source, offered / name, ignore=shutil.ignore_patterns("__pycache__"))
        (offered / _EMPTY).touch()
        # The container's user may be another one than ours; the folder around it is closed to all others.
        for place in (offered, *offered.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        return offered

    def _options(self, spec: SandboxSpec) -> dict[str, Any]:
        from docker.types import LogConfig, Mount, Ulimit

        user = os.getuid() or _NOBODY
        group = os.getgid() or _NOBODY
        total = _USUAL.memory_bytes + _OVERHEAD_BYTES
        setting = {
            "jailed": False,
            "helpers": None if spec.helpers is None else f"{_CODE}/helpers",
            "imports": spec.imports,
            "scratch": _SHARED[0],
            "shared": _SHARED,
            # Read-only, unlike /dev/null: what is open can be opened anew under /proc.
            "stdin": f"{_CODE}/{_EMPTY}",
            "environment": list(ENVIRONMENT),
        }
        # Root's and sticky: candidates can put no times, modes or attributes on the folder itself.
        private = f"size={_USUAL.tmp_bytes},nr_inodes=4096,mode=1777,uid=0,gid=0"
        return {
            "command": boot("attached", json.dumps(setting), _CODE, [SITE]),
            "environment": ENVIRONMENT,
            "user": f"{user}:{group}",
            "working_dir": "/",
            "hostname": "jail",
            "network_mode": "none",
            "ipc_mode": "private",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            # Message queues would be left for the next candidate.
            "tmpfs": dict.fromkeys(_SHARED, private) | {"/dev/mqueue": "ro,size=4k"},
            "mounts": [Mount(_CODE, str(self._folder / "jail"), type="bind", read_only=True)],
            "mem_limit": total,
            "memswap_limit": total,
            "pids_limit": _PIDS,
            "cpuset_cpus": ",".join(map(str, sorted(os.sched_getaffinity(0)))),
            "ulimits": [Ulimit(name="nofile", soft=1024, hard=1024), Ulimit(name="core", soft=0, hard=0)],
            "log_config": LogConfig(type="none"),
            "auto_remove": True,
            "labels": {"speciate": "slot"},
        }

    def _accept(self, listener: socket.socket, running: Running) -> socket.socket:
        end = time.monotonic() + _CONNECT_SECONDS
        while time.monotonic() < end:
            if select.select([listener], [], [], _LOOK_SECONDS)[0]:
                return listener.accept()[0]
            if not _is_running(running):
                raise SandboxError(f"the container did not start: {self.last_words()}")
        raise SandboxError(f"the container did not connect: the engine must see this machine's {self._folder.parent}")


def _listener(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # A socket's path has 107 bytes at most; this one is short whatever the folder's name.
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{descriptor}/{Path(SOCKET).name}")
    finally:
        os.close(descriptor)
    (folder / Path(SOCKET).name).chmod(0o666)
    listener.listen(1)
    return listener


def _is_running(container: Running) -> bool:
    from docker.errors import NotFound

    with asking("the engine does not answer"):
        try:
            container.reload()
        except NotFound:
            return False
        return container.status in ("created", "running")
