"""What a machine is: processor, cores, caches, memory, GPUs, and the libraries whose speed is measured on it."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from ..evaluation import Record

VERSION = 1
"""Of what is measured and how: raise it, and every machine is measured anew."""

LIBRARIES = ("numpy", "torch")
GIB = 1 << 30
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_CPU = Path("/sys/devices/system/cpu")
_SMI_SECONDS = 20.0


class Cache(Record):
    """A cache for data, of ``size`` bytes, which ``shared_by`` cores share."""

    level: int
    size: int
    shared_by: int


class Gpu(Record):
    """``memory`` in bytes."""

    name: str
    driver: str
    memory: int


class Machine(Record):
    """``cores`` may be used by this process, ``present`` are there; ``affinity`` lists the numbers of the former.

    ``memory`` in bytes. ``libraries`` are names with versions: another BLAS has another speed on the same processor.
    """

    processor: str
    architecture: str
    cores: int
    present: int
    affinity: str
    caches: tuple[Cache, ...]
    memory: int
    gpus: tuple[Gpu, ...]
    libraries: tuple[str, ...]

    @property
    def pinned(self) -> bool:
        """Whether this process may use a part of the cores only."""
        return self.cores < self.present

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; the same for a machine with the same hardware, drivers, libraries and cores to use."""
        rounded = self.model_copy(update={"memory": round(self.memory / GIB)})
        return hashlib.sha256(f"{VERSION} {rounded.model_dump_json()}".encode()).hexdigest()[:16]


@functools.cache
def this_machine() -> Machine:
    usable = sorted(os.sched_getaffinity(0))
    return Machine(
        processor=_processor(),
        architecture=platform.machine(),
        cores=len(usable),
        present=os.cpu_count() or len(usable),
        affinity=ranges(usable),
        caches=tuple(read_caches(_CPU / f"cpu{usable[0]}" / "cache")),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpus=tuple(_gpus()),
        libraries=tuple(_libraries()),
    )


def ranges(numbers: Iterable[int]) -> str:
    """Rising numbers as Linux lists them: ``0-3,8``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in found)


def _processor() -> str:
    """As the kernel names it; aarch64 has numbers only, then the architecture stands for it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^(?:model name|cpu model|uarch)\s*:\s*(.+)$", text, re.MULTILINE)
    part = re.search(r"^CPU part\s*:\s*(\S+)$", text, re.MULTILINE)
    if named:
        return named[1].strip()
    return f"{platform.machine()} part {part[1]}" if part else platform.processor() or platform.machine()


def read_caches(folder: Path) -> Iterator[Cache]:
    """Data caches of a core, smallest level first, from its folder in sysfs; none where the kernel tells of none."""
    for index in sorted(folder.glob("index[0-9]*")):
        try:
            kind, level, size, shared = (
                (index / name).read_text().strip() for name in ("type", "level", "size", "shared_cpu_list")
            )
        except OSError:
            continue
        if kind != "Instruction" and size:
            yield Cache(level=int(level), size=_bytes(size), shared_by=_count(shared))


def _bytes(text: str) -> int:
    """``32768K`` in bytes."""
    return int(text.rstrip("KMG")) * _UNITS.get(text[-1], 1)


def _count(listed: str) -> int:
    """How many numbers a list such as ``0-3,8`` holds."""
    spans = [part.partition("-") for part in listed.split(",") if part]
    return max(1, sum(int(high or low) - int(low) + 1 for low, _, high in spans))


def _gpus() -> Iterator[Gpu]:
    """Those of NVIDIA, by the program that comes with their driver; in the order of their places on the bus."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    asked = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=_SMI_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return
    yield from parse_gpus(done.stdout)


def parse_gpus(text: str) -> Iterator[Gpu]:
    """Lines of name, driver and MiB; a GPU that does not tell its memory (it is shared with the CPU) has 0."""
    for line in text.splitlines():
        parts = [part.strip() for part in line.rsplit(",", 2)]
        if len(parts) == 3:
            name, driver, memory = parts
            yield Gpu(name=name, driver=driver, memory=int(memory) << 20 if memory.isdecimal() else 0)


def _libraries() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
