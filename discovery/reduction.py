"""Smaller versions of a program's text: which there are, and which of its parts must stay."""

from __future__ import annotations

import ast
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from ..agents.symbolic.source import evolving
from ..archive.program import is_number

T = TypeVar("T")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "orelse", "finalbody")
NEUTRAL = {ast.Mult: 1, ast.Div: 1, ast.Pow: 1, ast.Add: 0, ast.Sub: 0}
"""The right operand that leaves the left one as it is."""


def ddmin(items: Sequence[T], keeps: Callable[[Sequence[T]], bool]) -> list[T]:
    """A part of ``items`` that ``keeps``, and no longer does without any single one of them.

    Delta debugging (Zeller and Hildebrandt 2002). ``keeps(items)`` holds. 1-minimal as long as ``keeps`` is a function
    of the set of items; where it gives up (and says no to everything new), what was reached so far.
    """
    kept, parts = list(items), 2
    while kept:
        size = math.ceil(len(kept) / parts)
        rests = ([*kept[:at], *kept[at + size :]] for at in range(0, len(kept), size))
        smaller = next((rest for rest in rests if keeps(rest)), None)
        if smaller is not None:
            kept, parts = smaller, max(2, parts - 1)
        elif size == 1:
            break
        else:
            parts = min(len(kept), 2 * parts)
    return kept


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines ``first`` (from 0) up to ``last``; ``block`` tells the block it stands in, which it may not leave empty."""

    first: int
    last: int
    indent: int
    block: tuple[int, str]


class Statements:
    """The statements of a program that can go without breaking its lines."""

    def __init__(self, source: str) -> None:
        """Raises: SyntaxError."""
        self._lines = source.splitlines(keepends=True)
        open_lines = evolving(tuple(self._lines))
        self._sizes: dict[tuple[int, str], int] = {}
        self.removable: list[Statement] = []
        self._tree = ast.parse(source)  # kept, because its nodes' addresses name the blocks
        for owner in ast.walk(self._tree):
            for name in _BLOCKS:
                block = getattr(owner, name, None)
                if not isinstance(block, list) or not block:
                    continue
                key = (id(owner), name)
                self._sizes[key] = len(block) if not isinstance(owner, ast.Module) else len(block) + 1
                found = (self._statement(node, key) for node in block if not _is_text(node))
                self.removable += [one for one in found if one and open_lines.issuperset(range(one.first, one.last))]

    def _statement(self, node: ast.stmt, block: tuple[int, str]) -> Statement | None:
        """The statement with the comments right above it; None where it shares a line with another."""
        decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        last = node.end_lineno or node.lineno
        after = self._lines[last - 1].encode()[node.end_col_offset or 0 :].decode().strip()
        before = self._lines[node.lineno - 1].encode()[: node.col_offset].decode().strip()
        if before or (after and not after.startswith("#")):
            return None
        while first > 0 and self._is_remark(first - 1):
            first -= 1
        return Statement(first, last, node.col_offset, block)

    def _is_remark(self, line: int) -> bool:
        text = self._lines[line].strip()
        return text.startswith("#") and "EVOLVE-BLOCK" not in text

    def without(self, gone: Set[Statement]) -> str:
        """The source without these statements; ``pass`` where a block would be empty."""
        lines = list(self._lines)
        left = dict(self._sizes)
        for statement in gone:
            left[statement.block] -= 1
            lines[statement.first : statement.last] = [""] * (statement.last - statement.first)
        for statement in gone:
            if left[statement.block] == 0 and not any(_within(statement, other) for other in gone):
                lines[statement.first] = " " * statement.indent + "pass\n"
                left[statement.block] = 1
        return re.sub(r"\n{4,}", "\n\n\n", "".join(lines))


def _within(one: Statement, other: Statement) -> bool:
    return one is not other and other.first <= one.first and one.last <= other.last


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def smaller(source: str) -> Iterator[str]:
    """The source with one expression replaced by a part of it, or a block freed of its ``if`` or ``with``.

    First what cannot change anything, such as factors of one, then what removes most. Raises: SyntaxError.
    """
    tree = ast.parse(source)
    text = _Text(source)
    choices = [
        (_is_neutral(node, part), _nodes(node) - _nodes(part), node, part)
        for node in ast.walk(tree)
        if text.is_open(node)
        for part in _parts(node)
    ]
    for _, _, node, part in sorted(choices, key=lambda choice: (not choice[0], -choice[1])):
        yield text.replaced(node, part)
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.With) and text.is_open(node):
            yield from text.unwrapped(node)


def _parts(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [] if is_number(node.operand) else [node.operand]
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.BoolOp():
            return node.values
        case ast.Call():
            return [argument for argument in node.args[:3] if not isinstance(argument, ast.Starred | ast.Constant)]
        case _:
            return []


def _is_neutral(node: ast.AST, part: ast.expr) -> bool:
    if not isinstance(node, ast.BinOp):
        return False
    neutral = NEUTRAL.get(type(node.op))
    commutes = isinstance(node.op, ast.Mult | ast.Add)
    other = node.right if part is node.left else node.left if commutes else None
    return isinstance(other, ast.Constant) and is_number(other) and other.value == neutral


def _nodes(node: ast.AST) -> int:
    return sum(1 for _ in ast.walk(node))


class _Text:
    """Source text with replacement of syntax nodes, whose columns count bytes."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines(keepends=True)
        self._bytes = [line.encode() for line in self._lines]
        self._open = evolving(tuple(self._lines))

    def is_open(self, node: ast.AST) -> bool:
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        return first is not None and last is not None and self._open.issuperset(range(first - 1, last))

    def _segment(self, node: ast.expr) -> str:
        lines = self._bytes[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()

    def replaced(self, node: ast.AST, part: ast.expr) -> str:
        assert isinstance(node, ast.expr)
        assert node.end_lineno is not None
        inner = self._segment(part)
        before = b"".join(self._bytes[: node.lineno - 1]) + self._bytes[node.lineno - 1][: node.col_offset]
        after = self._bytes[node.end_lineno - 1][node.end_col_offset :] + b"".join(self._bytes[node.end_lineno :])
        safe = f"{before.decode()}({inner}){after.decode()}"
        plain = f"{before.decode()}{inner}{after.decode()}"
        return plain if _same(plain, safe) else safe

    def unwrapped(self, node: ast.If | ast.With) -> Iterator[str]:
        """Without what follows ``else``, and with nothing but the body."""
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        body = slice(node.body[0].lineno - 1, node.body[-1].end_lineno)
        if isinstance(node, ast.If) and node.orelse:
            yield "".join((*self._lines[: body.stop], *self._lines[last:]))
        if body.start > first and not self._lines[first].lstrip().startswith("elif"):
            freed = textwrap.indent(textwrap.dedent("".join(self._lines[body])), " " * node.col_offset)
            yield "".join((*self._lines[:first], freed, *self._lines[last:]))


def _same(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False
