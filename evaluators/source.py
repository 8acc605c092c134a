"""Rules that a program's text must obey before it runs. Hints and hygiene, never a defence: that is the jail (D13)."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator, Mapping

from .outline import Outline, outline
from .task import Task

MAIN = "program.py"
START, END = "EVOLVE-BLOCK-START", "EVOLVE-BLOCK-END"
_MARKER = re.compile(rf"#\s*({START}|{END})")
UNWANTED = frozenset(
    (
        *("os", "sys", "subprocess", "socket", "ctypes", "multiprocessing", "threading", "asyncio", "signal", "shutil"),
        *("pickle", "marshal", "shelve", "importlib", "builtins", "inspect", "gc", "urllib", "http", "ssl", "ftplib"),
        *("pty", "mmap", "resource", "fcntl", "select", "selectors", "sqlite3", "tempfile", "pathlib", "webbrowser"),
    )
)
"""Modules of the standard library that no algorithm of the catalogue needs."""


def check_source(task: Task, files: Mapping[str, str]) -> list[str]:
    """What is wrong with a program: syntax, missing entry, wrong parameters, imports that are not allowed."""
    if MAIN not in files:
        return [f"there is no {MAIN}"]
    outlines: dict[str, Outline] = {}
    for name, text in files.items():
        try:
            outlines[name] = outline(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            place = f" in line {line}" if line else ""
            return [f"{name} has a syntax error{place}: {getattr(error, 'msg', None) or error or type(error).__name__}"]
    own = {name.removesuffix(".py") for name in files}
    imports = [problem for name, one in outlines.items() for problem in _imports(task, name, one, own)]
    return [*_signature(task, outlines[MAIN]), *imports]


def _signature(task: Task, program: Outline) -> Iterator[str]:
    for name, parameters in task.entry.functions.items():
        taken = program.functions.get(name)
        if taken is None:
            yield f"it must define the function {name}({', '.join(parameters)})"
        elif not _accepts(taken, parameters):
            found = ", ".join(arg.arg for arg in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs))
            yield f"{name} must take the arguments ({', '.join(parameters)}), not ({found})"


def _accepts(arguments: ast.arguments, parameters: tuple[str, ...]) -> bool:
    """Whether the entry can be called with exactly these keywords."""
    named = [arg.arg for arg in (*arguments.args, *arguments.kwonlyargs)]
    required = [arg.arg for arg in arguments.args[: len(arguments.args) - len(arguments.defaults)]]
    required += [
        arg.arg for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    return not arguments.posonlyargs and set(required) <= set(parameters) <= set(named)


def _imports(task: Task, file: str, program: Outline, own: set[str]) -> Iterator[str]:
    allowed = {name.partition(".")[0] for name in task.limits.imports} | own | {"helpers"}
    for node in program.imports:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            if top not in allowed and (top in UNWANTED or top not in sys.stdlib_module_names):
                these = ", ".join(task.limits.imports)
                yield f"{file} line {node.lineno}: importing '{name}' is not allowed; allowed are {these}"


def check_kept(baseline: str, source: str) -> list[str]:
    """What stands outside the baseline's EVOLVE-BLOCKs must stand unchanged in ``source``, in the same order."""
    if START not in baseline:
        return []
    kept, offered = _outside(baseline), _outside(source)
    if kept == offered:
        return []
    if len(kept) != len(offered):
        return ["the EVOLVE-BLOCK markers must stay where they are"]
    return ["what stands outside the EVOLVE-BLOCK must stay as it is"]


def changeable_lines(source: str) -> range | frozenset[int]:
    """Numbers of the lines that a proposal may change: all, where there are no EVOLVE-BLOCKs."""
    lines = source.splitlines()
    if not any(START in line for line in lines):
        return range(1, len(lines) + 1)
    inside, found = False, set[int]()
    for number, line in enumerate(lines, 1):
        inside = (inside or START in line) and END not in line
        if inside and START not in line:
            found.add(number)
    return frozenset(found)


@functools.lru_cache(maxsize=8)
def _outside(source: str) -> list[list[str]]:
    """The lines outside the blocks, markers included, without blank lines and trailing space."""
    parts: list[list[str]] = [[]]
    outside = True
    for line in source.splitlines():
        marker = _MARKER.search(line) if "EVOLVE" in line else None
        if marker is not None and marker[1] == START:
            outside = False
            parts[-1].append(START)
        elif marker is not None:
            outside = True
            parts.append([END])
        elif outside and line.strip():
            parts[-1].append(line.rstrip())
    return parts
