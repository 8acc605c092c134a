"""What a program's text says at a glance, read once: the loop asks for it several times."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from .syntax import parse

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Outline:
    """``functions`` are the top-level ones, ``imports`` the statements that import, at any depth."""

    def __init__(self, tree: ast.Module) -> None:
        found = list(statements(tree))
        self.functions = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.imports = [node for node in found if isinstance(node, ast.Import | ast.ImportFrom)]
        _strip(tree, found)
        self._tree = tree

    @functools.cached_property
    def canonical(self) -> str:
        """The text without comments, docstrings and layout. Raises: RecursionError where it is nested too deeply."""
        return ast.unparse(self._tree)


@functools.lru_cache(maxsize=16)
def outline(source: str) -> Outline:
    """Raises: what ``ast.parse`` raises."""
    return Outline(parse(source))


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement at any depth; far fewer than ``ast.walk`` visits, since expressions hold none."""
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        for node in bodies.pop():
            yield node
            holders = (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ()))
            bodies += [getattr(holder, name, []) for holder in holders for name in ("body", "orelse", "finalbody")]


def stripped(source: str) -> ast.Module:
    """The syntax tree without docstrings. Raises: what ``ast.parse`` raises."""
    tree = parse(source)
    _strip(tree, list(statements(tree)))
    return tree


def _strip(tree: ast.Module, found: list[ast.stmt]) -> None:
    for node in (tree, *found):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
