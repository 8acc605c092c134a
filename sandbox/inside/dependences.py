"""What each statement of a program reads, binds and changes, and which statement decides whether it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHANGING = frozenset(
    (
        *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "fill", "insert", "partition"),
        *("pop", "popitem", "popleft", "put", "remove", "resize", "reverse", "rotate", "setdefault", "shuffle", "sort"),
        "update",
    )
)
"""Methods of the standard containers, of arrays and of generators that change what they are called on."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_JUMPS = (ast.Break, ast.Continue, ast.Return, ast.Raise)


@dataclass(slots=True)
class Statement:
    """A simple statement, or the head of a compound one; ``line`` is its first line."""

    line: int
    simple: bool
    long: bool
    """Whether it goes over several lines."""
    reads: tuple[str, ...]
    binds: tuple[str, ...]
    changes: tuple[str, ...]
    """Names whose objects it may change in place."""
    controls: set[int] = field(default_factory=set)
    """Lines of the heads that decide whether it runs (again)."""


def dependences(source: str) -> dict[int, Statement]:
    """Line -> the statement that it belongs to. Raises: what ``ast.parse`` raises."""
    found: dict[int, Statement] = {}
    _block(ast.parse(source).body, found, (), ())
    return found


def _block(body: list[ast.stmt], found: dict[int, Statement], heads: tuple[int, ...], loops: tuple[int, ...]) -> None:
    for node in body:
        head = _enter(node, found, heads)
        if isinstance(node, _JUMPS) and heads:
            for line in loops:
                found[line].controls |= {head, heads[-1]}
        if isinstance(node, _SCOPES):
            _block(node.body, found, (head,), ())
            continue
        inner = (*loops, head) if isinstance(node, _LOOPS) else loops
        for part in _bodies(node):
            _block(part, found, (*heads, head), inner)


def _enter(node: ast.stmt, found: dict[int, Statement], heads: tuple[int, ...]) -> int:
    bodies = [part for part in _bodies(node) if part]
    last = bodies[0][0].lineno - 1 if bodies else node.end_lineno or node.lineno
    names = _Names()
    names.statement(node)
    made = Statement(
        line=node.lineno,
        simple=not bodies,
        long=last > node.lineno,
        reads=tuple(dict.fromkeys(names.reads)),
        binds=tuple(dict.fromkeys(names.binds)),
        changes=tuple(dict.fromkeys(names.changes)),
        controls=set(heads[-1:]),
    )
    for line in range(node.lineno, max(last, node.lineno) + 1):
        found.setdefault(line, made)
    return node.lineno


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for holder in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(part := getattr(holder, name, None), list):
                yield part


class _Names(ast.NodeVisitor):
    """Names of one statement; the bodies of compound statements are statements of their own."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.binds: list[str] = []
        self.changes: list[str] = []
        self._inside = 0

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return  # that a module is there explains nothing
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.binds.append(node.name)
            return
        for name, value in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody", "handlers", "cases") and isinstance(value, list):
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    self.visit(part)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.changes += self.reads  # a call whose value is thrown away is there for what it changes
        if isinstance(node, ast.AugAssign):
            self._change(node.target)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.reads.append(node.id)
        elif not self._inside:
            self.binds.append(node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
            self._change(node.func.value)
        for keyword in node.keywords:
            if keyword.arg == "out":
                self._change(keyword.value)
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        inside = isinstance(node, _COMPREHENSIONS)
        self._inside += inside
        super().generic_visit(node)
        self._inside -= inside

    def _change(self, node: ast.AST) -> None:
        while isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
        if isinstance(node, ast.Name):
            self.changes.append(node.id)
            self.reads.append(node.id)
