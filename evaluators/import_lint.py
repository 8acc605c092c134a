"""What a program of a library may do when it is imported: compute, and nothing else.

A second fence only: programs were searched for in a jail, and a search finds holes. An allow-list of modules, and no
name by which Python code reaches files, processes, the network, the interpreter's frames or other code: modules of the
standard library hide behind attributes of harmless ones (``enum.bltns``, ``dataclasses.inspect``, ``random._os``).
This file stands alone, so that an exported library can carry it as its own test.
"""

from __future__ import annotations

import ast
import re
import sys
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
    "DataSource ForwardRef Formatter attrgetter bltns builtins ctypes ctypeslib dump dumps eval evaluate_forward_ref "
    "exec f2py from_dlpack fromfile fromregex genfromtxt get_type_hints import_module load loads loadtxt memmap "
    "methodcaller open open_memmap os popen save savetxt savez savez_compressed singledispatch singledispatchmethod "
    "spawn subprocess sys system testing tofile update_wrapper wraps "
    "ag_code ag_frame cr_code cr_frame f_back f_builtins f_code f_globals f_locals gi_code gi_frame gi_yieldfrom "
    "tb_frame"
)
HARMLESS_MODULE_NAMES = _words("code queue select signal site test token trace")
"""Attributes of arrays, of numpy or of a program's own objects that are called like a module which is not in reach."""
CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*(?!utf-?8\b)", re.IGNORECASE)
"""A declaration by which the file reads otherwise than the text that is looked at (PEP 263)."""
HARMLESS_DUNDERS = _words(
    "__init__ __call__ __len__ __iter__ __next__ __getitem__ __setitem__ __contains__ __add__ __sub__ __mul__ "
    "__truediv__ __matmul__ __neg__ __lt__ __le__ __eq__ __hash__ __repr__ __post_init__ __name__ __all__ __slots__ "
    "__doc__ __enter__ __exit__"
)
_MODULES_OUT_OF_REACH = frozenset(sys.stdlib_module_names) - SAFE_MODULES - HARMLESS_MODULE_NAMES


def forbidden(source: str, modules: Collection[str]) -> list[str]:
    """What the source does that a library must not, one line each; ``modules`` are allowed beside the safe ones.

    A module stands for its submodules as well. Relative imports stay inside the library and are allowed.
    Raises: SyntaxError.
    """
    allowed = {*SAFE_MODULES, *modules}
    return [f"line {line}: {text}" for line, text in sorted(set(_findings(source, allowed)))]


def _findings(source: str, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(re.split(r"\r\n|\r|\n", source)[:2], 1):
        if CODING.match(text):
            yield line, "declares an encoding"
    for node in ast.walk(ast.parse(source)):
        yield from _imports(node, allowed)
        yield from _uses(node)


def _imports(node: ast.AST, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for name in node.names:
            yield from _module(node.lineno, name.name, allowed)
    elif isinstance(node, ast.ImportFrom):
        absolute = node.level == 0 and node.module is not None
        if absolute and node.module is not None:
            yield from _module(node.lineno, node.module, allowed)
        for name in node.names:
            yield from _attribute(node.lineno, name.name)
            if name.name == "*" or (absolute and name.name.startswith("_")):
                yield node.lineno, f"imports {name.name} from {node.module}"


def _uses(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Name(id=name) if name in FORBIDDEN_NAMES:
            yield node.lineno, f"uses {name}"
        case ast.Name(id=name) if name.startswith("__") and name not in HARMLESS_DUNDERS:
            yield node.lineno, f"uses {name}"
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            yield from _attribute(node.lineno, name)
        case ast.Attribute(attr=name) if name.startswith("_") and name not in HARMLESS_DUNDERS:
            yield node.lineno, f"uses .{name}"
        case ast.Attribute(attr=name):
            yield from _attribute(node.lineno, name)
        case ast.MatchClass(kwd_attrs=names):
            for name in names:
                yield from _attribute(node.lineno, name)


def _module(line: int, name: str, allowed: Collection[str]) -> Iterator[tuple[int, str]]:
    parts = name.split(".")
    if not any(".".join(parts[:end]) in allowed for end in range(1, len(parts) + 1)):
        yield line, f"imports {name}"
    for part in parts[1:]:
        yield from _attribute(line, part)


def _attribute(line: int, name: str) -> Iterator[tuple[int, str]]:
    dunder = name.startswith("__") and name.endswith("__") and name not in HARMLESS_DUNDERS
    if dunder or name in FORBIDDEN_ATTRIBUTES or name.lstrip("_") in _MODULES_OUT_OF_REACH:
        yield line, f"uses .{name}"
