"""The device that candidates of a GPU task are given: which are here, what of them a jail shows, whose turn it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .outcome import SandboxError

Kind = Literal["cuda", "cpu"]

_CONTROL = "/dev/nvidiactl"
_SHARED = (_CONTROL, "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
_NODE = re.compile(r"nvidia(\d+)")
_TOOLKITS = ("/usr/local/cuda", "/opt/cuda")


class NoDevice(SandboxError):
    """This machine has no such device; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Device:
    """``index`` is the N of /dev/nvidiaN. There is one CPU, and several candidates may use it at once."""

    kind: Kind
    index: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.index}" if self.kind == "cuda" else self.kind


CPU = Device("cpu")


def gpus(root: Path = Path("/dev"), environment: Mapping[str, str] = os.environ) -> tuple[Device, ...]:
    """Those with a node, of which CUDA_VISIBLE_DEVICES may leave some by their places (as Ray sets it for its actors).

    By names it leaves all: which node has which name only the driver knows.
    """
    if not (root / Path(_CONTROL).name).exists():
        return ()
    found = sorted(int(match[1]) for path in root.glob("nvidia*") if (match := _NODE.fullmatch(path.name)))
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None and all(one.strip().isdecimal() for one in chosen.split(",") if one):
        found = [found[int(one)] for one in chosen.split(",") if one and int(one) < len(found)]
    return tuple(Device("cuda", index) for index in found)


def a_gpu(number: int = 0, found: tuple[Device, ...] | None = None) -> Device:
    """Of several GPUs the ``number``-th, around and around. Raises: NoDevice."""
    here = gpus() if found is None else found
    if not here:
        raise NoDevice(
            f"this task runs on a GPU and {_missing()}: run it where there is one, or give --device cpu to try its "
            "code on the CPU (its times then say nothing of a GPU)"
        )
    return here[number % len(here)]


def _missing() -> str:
    if not Path(_CONTROL).exists():
        return f"this machine has none ({_CONTROL} does not exist)"
    return "CUDA_VISIBLE_DEVICES leaves none"


def nodes(device: Device) -> list[str]:
    """Device files for a jail: the driver's own and this GPU's, no other GPU's."""
    if device.kind == "cpu":
        return []
    return [path for path in (*_SHARED, f"/dev/nvidia{device.index}") if Path(path).exists()]


def shown_to(device: Device) -> list[str]:
    """What compilers and the driver read beyond what every jail shows; read-only."""
    toolkit = toolkit_folder()
    shown = ["/sbin", *([toolkit] if toolkit and not toolkit.startswith("/usr/") else [])]
    return shown if device.kind == "cpu" else [*shown, "/sys/devices", "/sys/bus/pci", "/sys/module/nvidia"]


def toolkit_folder() -> str | None:
    """Of the CUDA compiler, where there is one."""
    named = os.environ.get("CUDA_HOME")
    compiler = shutil.which("nvcc")
    found = [named, str(Path(compiler).resolve().parent.parent) if compiler else None, *_TOOLKITS]
    return next((folder for folder in found if folder and (Path(folder) / "bin" / "nvcc").exists()), None)


def device_environment(device: Device, scratch: str, path: str, jailed: bool) -> dict[str, str]:
    """Compilers' caches in the candidate's private files, and the only GPU it sees."""
    places = {
        name: f"{scratch}/{folder}"
        for name, folder in (
            ("HOME", ""),
            ("TMPDIR", ""),
            ("XDG_CACHE_HOME", "cache"),
            ("TRITON_CACHE_DIR", "triton"),
            ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
            ("TORCH_EXTENSIONS_DIR", "extensions"),
            ("CUDA_CACHE_PATH", "cuda"),
        )
    }
    # One process compiles: a pool of them would be left running while the clock does.
    values = places | {"USER": "candidate", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    toolkit = toolkit_folder()
    if toolkit is not None:
        values |= {"CUDA_HOME": toolkit, "PATH": f"{toolkit}/bin:{path}"}
    if device.kind == "cuda":
        # The driver counts the GPUs whose nodes it can open, so that a jail's only one is the first.
        values |= {"CUDA_VISIBLE_DEVICES": str(0 if jailed else device.index), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return values


class Slot:
    """One device's turn: at most one candidate process of all runs on this machine uses a GPU at a time."""

    def __init__(self, device: Device, folder: Path | None = None) -> None:
        self._device = device
        self._path = (folder or Path(tempfile.gettempdir())) / f"speciate-{device.name.replace(':', '')}.lock"

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Waits for whoever has it; the kernel gives it back for one who dies. Raises: SandboxError."""
        if self._device.kind == "cpu":
            yield
            return
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise SandboxError(f"the turn of {self._device.name} cannot be taken: {error}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
