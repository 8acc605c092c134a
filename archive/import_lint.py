"""What a program of a library may do when it is imported: compute, and nothing else.

A second fence only: programs were searched for in a jail, and a search finds holes. An allow-list of modules, and no
name by which Python code reaches files, processes, the network, the interpreter's frames or other code.
This file stands alone, so that an exported library can carry it as its own test.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAFE_MODULES = _words(
    "__future__ abc array bisect cmath collections copy dataclasses decimal enum fractions functools heapq itertools "
    "math numbers operator random re statistics string time typing warnings"
)
FORBIDDEN_NAMES = _words(
    "__builtins__ __import__ __loader__ __spec__ breakpoint compile delattr eval exec exit getattr globals help input "
    "locals memoryview open quit setattr vars"
)
FORBIDDEN_ATTRIBUTES = _words(
    "DataSource attrgetter builtins ctypes ctypeslib dump dumps f2py from_dlpack fromfile fromregex genfromtxt load "
    "loadtxt memmap methodcaller open open_memmap os save savetxt savez savez_compressed subprocess sys testing tofile "
    "cr_frame f_back f_builtins f_code f_globals f_locals gi_frame tb_frame"
)
HARMLESS_DUNDERS = _words(
    "__init__ __call__ __len__ __iter__ __next__ __getitem__ __setitem__ __contains__ __add__ __sub__ __mul__ "
    "__truediv__ __matmul__ __neg__ __lt__ __le__ __eq__ __hash__ __repr__ __post_init__ __name__ __all__ __slots__ "
    "__doc__ __enter__ __exit__"
)


def forbidden(source: str, modules: Collection[str]) -> list[str]:
    """What the source does that a library must not, one line each; ``modules`` are allowed beside the safe ones.

    A module stands for its submodules as well. Relative imports stay inside the library and are allowed.
    Raises: SyntaxError.
    """
    allowed = {*SAFE_MODULES, *modules}
    return [f"line {line}: {text}" for line, text in sorted(set(_findings(ast.parse(source), allowed)))]


def _findings(tree: ast.Module, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield from _module(node.lineno, name.name, allowed)
            case ast.ImportFrom(module=module, names=names, level=level):
                if level == 0 and module is not None:
                    yield from _module(node.lineno, module, allowed)
                for name in names:
                    yield from _attribute(node.lineno, name.name)
                    if name.name == "*":
                        yield node.lineno, f"imports everything from {module}"
            case ast.Name(id=name) if name in FORBIDDEN_NAMES:
                yield node.lineno, f"uses {name}"
            case ast.Name(id=name) if name.startswith("__") and name not in HARMLESS_DUNDERS:
                yield node.lineno, f"uses {name}"
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in imported and name.startswith("_"):
                yield node.lineno, f"uses {module}.{name}"
            case ast.Attribute(attr=name):
                yield from _attribute(node.lineno, name)


def _module(line: int, name: str, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    parts = name.split(".")
    if not any(".".join(parts[:end]) in allowed for end in range(1, len(parts) + 1)):
        yield line, f"imports {name}"
    for part in parts[1:]:
        yield from _attribute(line, part)


def _attribute(line: int, name: str) -> Iterator[tuple[int, str]]:
    dunder = name.startswith("__") and name.endswith("__") and name not in HARMLESS_DUNDERS
    if dunder or name in FORBIDDEN_ATTRIBUTES:
        yield line, f"uses .{name}"
