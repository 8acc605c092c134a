"""Rendering: from a program's source to a module of a library."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def docstring(text: str) -> str:
    """Text as a module's docstring: whatever it holds, it stays text."""
    printable = "".join(c for c in text if c.isprintable() or c == "\n")
    quoted = printable.replace("\\", "\\\\").replace('"""', '\\"' * 3).strip()
    return f'"""{quoted}\n"""\n'


def module(source: str, description: str, local: Mapping[str, str], documentation: Mapping[str, str]) -> str:
    """The source with a docstring before it, and imports of ``local`` modules made relative to the library.

    The program's own docstring moves into the new one; the rest of its text stays as it is. Functions that have no
    docstring are given that of ``documentation`` at the end.
    """
    source = relative_imports(source, local)
    tree = ast.parse(source)
    own = ast.get_docstring(tree)
    if own is not None:
        first = tree.body[0]
        lines = source.splitlines(keepends=True)
        del lines[first.lineno - 1 : first.end_lineno]
        source = "".join(lines)
        description = f"{description.rstrip()}\n\nThe docstring that it came with, which may be the baseline's:\n{own}"
    return docstring(description) + "\n" + source.strip("\n") + "\n" + _documented(tree, documentation)


def _documented(tree: ast.Module, documentation: Mapping[str, str]) -> str:
    """Statements that give functions their docstrings."""
    bare = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is None}
    texts = [f"{name}.__doc__ = {docstring(text)}" for name, text in documentation.items() if name in bare]
    return "\n\n" + "\n".join(texts) if texts else ""


def relative_imports(source: str, local: Mapping[str, str], depth: int = 1) -> str:
    """Rewrite ``import helpers.x`` and ``from helpers import x`` for modules that the library holds under other names.

    ``local`` maps a top-level name to its name in the library; the source stands ``depth`` packages deep.
    Raises: SyntaxError.
    """
    lines = source.splitlines(keepends=True)
    for node in reversed(list(ast.walk(ast.parse(source)))):
        text = _relative(node, local, "." * depth)
        if text is not None and isinstance(node, ast.stmt):
            lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + text + "\n"]
    return "".join(lines)


def _relative(node: ast.AST, local: Mapping[str, str], dots: str) -> str | None:
    """The import statement rewritten, or None where nothing is to be done."""
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
        top, dot, rest = node.module.partition(".")
        if top not in local:
            return None
        return f"from {dots}{local[top]}{dot}{rest} import {', '.join(ast.unparse(alias) for alias in node.names)}"
    if isinstance(node, ast.Import) and any(alias.name.partition(".")[0] in local for alias in node.names):
        return "; ".join(_relative_alias(alias, local, dots) for alias in node.names)
    return None


def _relative_alias(alias: ast.alias, local: Mapping[str, str], dots: str) -> str:
    top, _, rest = alias.name.partition(".")
    if top not in local:
        return f"import {ast.unparse(alias)}"
    if not rest:
        return f"from {dots} import {local[top]} as {alias.asname or top}"
    if alias.asname is not None:
        package, _, leaf = f"{local[top]}.{rest}".rpartition(".")
        return f"from {dots}{package} import {leaf} as {alias.asname}"
    return f"from {dots} import {local[top]} as {top}; from {dots}{local[top]} import {rest.partition('.')[0]} as _"


def stub(signature: str, documentation: Mapping[str, str]) -> str | None:
    """Typed, documented signatures for type checkers and editors; None where they name what a stub cannot know."""
    lines = [line.rstrip(":") + ": ..." for line in signature.strip().splitlines() if line.strip()]
    known = {"Callable", "Mapping", "Sequence", "Any", "np", "int", "float", "bool", "str", "bytes"}
    known |= {"dict", "list", "tuple", "set", "None", "complex", "object"}
    functions = [node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.FunctionDef)]
    used = {name.id for function in functions for name in ast.walk(function) if isinstance(name, ast.Name)}
    if not used <= known:
        return None
    for function in functions:
        if function.name in documentation:
            text = textwrap.indent(documentation[function.name], "    ").lstrip()
            function.body = [ast.Expr(ast.Constant(f"{text}\n    "))]
    return f"{STUB_IMPORTS}\n" + "\n".join(f"{ast.unparse(function)}\n" for function in functions)


STUB_IMPORTS = """from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
"""
