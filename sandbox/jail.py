"""Sandbox: one slot with a warm zygote in a jail; every candidate process is a fresh fork of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from .limits import Limits
from .mounts import arguments, inside
from .outcome import SandboxError
from .process import Ended, Process
from .tier import NoJail, Tier, bubblewrap, why_no_jail

INSIDE = Path(__file__).parent / "inside"
START = "import sys; sys.path.insert(0, sys.argv[1]); from inside.zygote import main; main(sys.argv[2:])"
START_SECONDS = 120.0
BUFFER = 4 << 20
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclasses.dataclass(frozen=True)
class SandboxSpec:
    """What every candidate of a task finds in its jail.

    ``imports`` are modules that are warm, and of the installed packages only those that they belong to are visible;
    ``helpers`` is a folder that candidates import as the package ``helpers``; ``unsafe`` means no jail at all.
    """

    imports: tuple[str, ...] = ("numpy",)
    helpers: Path | None = None
    unsafe: bool = False


class Sandbox:
    """Used by one thread at a time. Started at once; a dead zygote is replaced at the next process."""

    def __init__(self, spec: SandboxSpec) -> None:
        self._spec = spec
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.tier = str(Tier.UNSAFE if spec.unsafe else Tier.JAIL)
        self._start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = self._command(theirs.fileno())
            self._zygote = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
            )
        ours.settimeout(START_SECONDS)
        self._control = ours
        try:
            ready = ours.recv(16)
        except TimeoutError:
            ready = b""
        if ready != b"ready":
            assert self._zygote.stderr is not None
            self._zygote.kill()
            said = self._zygote.stderr.read().decode(errors="replace").strip().splitlines()
            self.close()
            raise SandboxError(f"the sandbox did not start: {said[-1] if said else 'no message'}")

    def _command(self, control: int) -> list[str]:
        modules = json.dumps(list(self._spec.imports))
        helpers = self._spec.helpers
        if self._spec.unsafe:
            extra = str(helpers.parent) if helpers else ""
            return [sys.executable, "-I", "-B", "-c", START, str(INSIDE.parent), str(control), "open", modules, extra]
        program = bubblewrap()
        assert program is not None
        command = [program, "--unshare-all", "--uid", "0", "--gid", "0", "--cap-add", "CAP_SYS_ADMIN"]
        command += ["--die-with-parent", "--new-session", "--clearenv"]
        for name, value in ENVIRONMENT.items():
            command += ["--setenv", name, value]
        command += arguments(self._spec.imports)
        command += ["--ro-bind", str(INSIDE), "/speciate/inside"]
        if helpers:
            command += ["--ro-bind", str(helpers), "/task/helpers"]
        command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/"]
        command += [
            "--",
            inside(Path(sys.executable)),
            "-I",
            "-B",
            "-c",
            START,
            "/speciate",
            str(control),
            "confined",
            modules,
        ]
        return [*command, "/task" if helpers else ""]

    @contextlib.contextmanager
    def process(self, files: Mapping[str, str], limits: Limits) -> Iterator[Process]:
        """A fresh process with the candidate's files; its ``usage`` is known when the block has ended.

        Raises: SandboxError.
        """
        process = self._spawn(files, limits)
        try:
            yield process
        finally:
            process.close()

    def _spawn(self, files: Mapping[str, str], limits: Limits) -> Process:
        if self._control is None:
            self._start()
        assert self._control is not None
        bounds = dataclasses.asdict(limits)
        del bounds["wall_seconds"], bounds["output_bytes"]
        output = os.memfd_create("output")
        ours, theirs = socket.socketpair()
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            try:
                socket.send_fds(self._control, [json.dumps(bounds).encode()], [theirs.fileno(), output])
                said, handles, _, _ = socket.recv_fds(self._control, 64, 1)
            except OSError:
                said, handles = b"", []
        if said != b"started" or not handles:
            ours.close()
            os.close(output)
            self.close()
            raise SandboxError("the zygote could not start a process")
        return Process(ours, handles[0], output, limits, files, self._reap)

    def _reap(self) -> Ended:
        """Wait for the zygote's word on the process that has just been killed or has died."""
        assert self._control is not None
        try:
            said = self._control.recv(256)
        except OSError:
            said = b""
        if not said:
            self.close()
            raise SandboxError("the zygote died with its process")
        return Ended(*json.loads(said))

    def close(self) -> None:
        """End the zygote and everything in its jail."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            if self._zygote.stderr is not None:
                self._zygote.stderr.close()
            self._zygote = None


def open_sandbox(spec: SandboxSpec) -> Sandbox:
    """Raises: NoJail where this machine has none and ``spec.unsafe`` is not set."""
    problem = None if spec.unsafe else why_no_jail()
    if problem:
        raise NoJail(problem)
    return Sandbox(spec)
