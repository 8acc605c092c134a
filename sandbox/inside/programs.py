"""A candidate's files as importable modules, straight from text."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAIN = "program"
_ORIGIN = "<candidate>/"


class Programs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``solve.py`` as ``solve`` and ``parts/solve.py`` as ``parts.solve``, after the installed modules."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, str]] = {}
        """module name -> (file name, source)"""
        self._packages: set[str] = set()

    def add(self, files: Mapping[str, str]) -> None:
        for path, source in files.items():
            parts = path.removesuffix(".py").split("/")
            for depth in range(1, len(parts)):
                self._packages.add(".".join(parts[:depth]))
            if parts[-1] == "__init__":
                parts.pop()
            name = ".".join(parts)
            self._files[name] = (path, source)
            # A one-tuple is linecache's form for lines to be had when a traceback asks for them.
            linecache.cache[_ORIGIN + path] = (functools.partial(str, source),)  # type: ignore[assignment]
        sys.meta_path.append(self)

    def load(self) -> None:
        """Run the main file. Raises: whatever it raises."""
        # Straight past the other finders: their search for a name that is ours costs more than many programs.
        if MAIN not in self._files:
            raise ModuleNotFoundError(f"there is no {MAIN}.py")
        module = sys.modules[MAIN] = types.ModuleType(MAIN)
        module.__package__ = ""
        self.exec_module(module)

    def forget(self) -> None:
        """Undo ``add`` and ``load``; what the files imported themselves stays."""
        sys.meta_path.remove(self)
        for name, (path, _) in self._files.items():
            sys.modules.pop(name, None)
            linecache.cache.pop(_ORIGIN + path, None)

    def function(self, entry: str) -> Callable[..., Any]:
        return getattr(sys.modules[MAIN], entry)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._files and fullname not in self._packages:
            return None
        spec = importlib.util.spec_from_loader(fullname, self, is_package=fullname in self._packages)
        if spec is not None and fullname in self._files:
            spec.origin = _ORIGIN + self._files[fullname][0]
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        if name in self._files:
            path, source = self._files[name]
            module.__file__ = _ORIGIN + path
            exec(compile(source, _ORIGIN + path, "exec"), module.__dict__)


def line_of(error: BaseException) -> tuple[str, int] | None:
    """File and line of the candidate's own code that is nearest to where the error arose."""
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(_ORIGIN):
        return str(error.filename).removeprefix(_ORIGIN), error.lineno or 0
    own = [
        (frame.f_code.co_filename.removeprefix(_ORIGIN), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename.startswith(_ORIGIN)
    ]
    return own[-1] if own else None
