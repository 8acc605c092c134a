"""The named numbers of a program, which can be set without another change of it."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...evaluators.source import changeable_lines
from ...evaluators.syntax import parse


class NotANumber(Exception):
    """A setting that cannot be used; the words say why."""


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """``name = value`` in line ``line``, whose text is ``text``; the literal, its sign included, ends at ``end``."""

    name: str
    value: float
    whole: bool
    line: int
    text: str
    begin: int
    end: int


def named_numbers(source: str) -> dict[str, NamedNumber]:
    """Names that are bound once, to a number and where a program may change, in their order.

    A name that is bound again holds a first value of something and no setting. Raises: SyntaxError.
    """
    tree, free, lines = parse(source), changeable_lines(source), source.splitlines()
    found = [one for one in _assigned(tree, lines) if one.line in free]
    bound = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not _reads(node))
    return {one.name: one for one in found if bound[one.name] == 1}


def _reads(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _assigned(tree: ast.Module, lines: list[str]) -> Iterator[NamedNumber]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.AnnAssign))]
    for node in sorted(nodes, key=lambda node: node.lineno):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = _value(node.value)
        if value is None or len(targets) != 1 or not isinstance(targets[0], ast.Name) or node.value is None:
            continue
        if node.value.end_lineno == node.value.lineno:
            begin, end = node.value.col_offset, node.value.end_col_offset or 0
            text = lines[node.value.lineno - 1]
            yield NamedNumber(
                targets[0].id, float(value), isinstance(value, int), node.value.lineno, text.strip(), begin, end
            )


def _value(node: ast.expr | None) -> int | float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand)
        return None if inner is None else -inner
    known = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return node.value if known else None  # type: ignore[union-attr, return-value]


def with_numbers(source: str, values: Mapping[str, object]) -> str:
    """The program with these values. Raises: NotANumber, SyntaxError."""
    numbers = named_numbers(source)
    lines = source.splitlines(keepends=True)
    if not values:
        raise NotANumber("no number is set")
    for name, value in values.items():
        if name not in numbers:
            raise NotANumber(f"there is no named number '{name}' that may be set")
        one = numbers[name]
        line = lines[one.line - 1].encode()
        lines[one.line - 1] = (line[: one.begin] + _literal(one, value).encode() + line[one.end :]).decode()
    return "".join(lines)


def _literal(one: NamedNumber, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NotANumber(f"{one.name} must be a finite number")
    if not one.whole:
        return repr(float(value))
    if value != int(value):
        raise NotANumber(f"{one.name} must be a whole number")
    return str(int(value))
