"""What candidates of one container share, since they have no namespaces of their own: places to write, and /proc."""

from __future__ import annotations

import itertools
import os

from . import landlock
from .system import libc, raising

_PR_SET_DUMPABLE = 4
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_CLOSED = {"proc", "sys", "dev", "run"}


class Shared:
    """Made once in the zygote, for all its forks: ``folders`` are all that a candidate can write to."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        # Descriptors and memory of the zygote and of candidates, under /proc, are root's from here on.
        raising(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "no dumps")
        self._folders = folders
        readable = [one.path for one in os.scandir("/") if one.name not in _CLOSED]
        self._rules = landlock.ruleset(readable, (*folders, *_DEVICES))

    def close(self) -> None:
        """Leave this process only what candidates may read and write. Raises: OSError."""
        if self._rules is not None:
            landlock.restrict(self._rules)

    def empty(self) -> None:
        """Remove what a candidate that has ended left. Raises: OSError."""
        for folder in self._folders:
            _empty(os.fsencode(folder))
            os.utime(folder)  # when it was last written to could be a message


def _empty(folder: bytes) -> None:
    """By moving what is deeper up: a candidate's tree may be deeper than a path can be long."""
    fresh = (b"%s/%s-%d" % (folder, os.urandom(8).hex().encode(), number) for number in itertools.count())
    while found := list(os.scandir(folder)):
        for one in found:
            if not one.is_dir(follow_symlinks=False):
                os.unlink(one.path)  # noqa: PTH108 - no pathlib for names that are no text
                continue
            os.chmod(one.path, 0o700)  # noqa: PTH101
            for inner in list(os.scandir(one.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)  # noqa: PTH101 - else it could not be moved
                os.rename(inner.path, next(fresh))  # noqa: PTH104
            os.rmdir(one.path)  # noqa: PTH106
