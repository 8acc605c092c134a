"""This machine's Python as the root file system of an image, at places that are the same for every machine."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ..outcome import SandboxError

SITE = "/site"
INTERPRETER, LIBRARIES = "/python/bin/python3", "/lib"
_LEFT_OUT = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
_FOUND = re.compile(r"^\s+(?:(\S+) => )?(/.+) \(0x", re.MULTILINE)
_FILES_AT_ONCE = 200


def write_root(archive: IO[bytes], packages: Mapping[str, Path]) -> None:
    """A tar of the interpreter, its standard library, ``packages`` (name -> path) and the shared libraries of all.

    Raises: SandboxError where the machine has no ldd.
    """
    binary = Path(sys.executable).resolve()
    standard = f"{Path(INTERPRETER).parent.parent}/{sys.platlibdir}/python{sys.version_info[0]}.{sys.version_info[1]}"
    trees = {SITE: list(packages.items()), standard: _standard_library()}
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        tar.add(binary, INTERPRETER, filter=_plain)
        for place, entries in trees.items():
            for name, path in entries:
                tar.add(path, f"{place}/{name}", filter=_plain)
        binaries = [binary, *(file for entries in trees.values() for _, path in entries for file in _shared(path))]
        for name, path in _libraries(binaries, list(packages.values())).items():
            tar.add(path, name, filter=_plain)


def _standard_library() -> list[tuple[str, Path]]:
    found: dict[str, Path] = {}
    for kind in ("stdlib", "platstdlib"):
        for path in Path(sysconfig.get_path(kind)).iterdir():
            if path.name not in _LEFT_OUT and not path.name.startswith("config-"):
                found.setdefault(path.name, path)
    return list(found.items())


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def _shared(place: Path) -> Iterator[Path]:
    files = place.rglob("*.so*") if place.is_dir() else [place]
    return (file for file in files if ".so" in file.suffixes and file.is_file())


def _libraries(binaries: Sequence[Path], known: Sequence[Path]) -> dict[str, Path]:
    """Place in the image -> shared library that the binaries need and that is not in the folders ``known``."""
    found: dict[str, Path] = {}
    for start in range(0, len(binaries), _FILES_AT_ONCE):
        for name, text in _FOUND.findall(_ldd(binaries[start : start + _FILES_AT_ONCE])):
            path = Path(text)
            if not any(path.resolve().is_relative_to(folder.resolve()) for folder in known):
                # Only the loader is called by its path.
                found[f"{LIBRARIES}/{name}" if name else text] = path
    return found


def _ldd(binaries: Sequence[Path]) -> str:
    try:
        done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SandboxError("no image can be made of this machine's Python: it has no ldd; install libc-bin") from error
    return done.stdout
