"""Runs a command as an ordinary user, also where the interpreter is in root's closed home.

``python ordinary.py HOME COMMAND...`` (as root): in a mount namespace of its own, each closed folder on the way to the
interpreter, its packages and the product is covered by an open one that holds only those.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from speciate.sandbox.inside.system import libc, raising

NOBODY = 65534
_NEW_MOUNTS, _BIND, _RECURSIVE, _PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


def open_the_way(places: list[Path]) -> None:
    """Raises: OSError without the right to mount."""
    raising(libc.unshare(_NEW_MOUNTS), "mount namespace")
    raising(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "private mounts")
    while closed := [parent for place in places for parent in reversed(place.parents) if not _is_open(parent)]:
        inner = [place for place in places if place.is_relative_to(closed[0])]
        held = {place: os.open(place, os.O_PATH) for place in inner}
        _mount("tmpfs", closed[0], 0)
        closed[0].chmod(0o755)
        for place, descriptor in held.items():
            place.mkdir(parents=True, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}", place, _BIND | _RECURSIVE)
            os.close(descriptor)


def _is_open(folder: Path) -> bool:
    return folder.stat().st_mode & 0o001 != 0


def _mount(source: str, target: Path, flags: int) -> None:
    raising(libc.mount(source.encode(), os.fsencode(target), b"tmpfs", flags, None), f"mounting {target}")


def main() -> None:
    import speciate

    home, *command = sys.argv[1:]
    tests = Path(__file__).resolve().parent
    product = Path(str(speciate.__file__)).resolve().parent
    open_the_way(
        [Path(place).resolve() for place in dict.fromkeys([sys.base_prefix, sys.prefix, product, tests, home])]
    )
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.chdir(home)
    environment = {"HOME": home, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
