"""The text side: which lines may change, cut into pieces that are parsed and mutated on their own."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from ...evaluators.syntax import parse
from .kinds import INT, MODULE, NUMBER, OTHER, UNKNOWN, Kind

START = "# EVOLVE-BLOCK-START"
END = "# EVOLVE-BLOCK-END"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NUMBER = re.compile(r"(?<![\w.])\.?\d")
_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines ``first`` (from 0) up to ``last`` of a program: a definition, or top-level statements in a row."""

    first: int
    last: int
    text: str
    guarded: bool
    """Whether a marker stands among the lines, so that a part of the piece must stay."""
    numbers: int
    """How many numeric literals it holds, roughly."""
    parameters: int
    """How many of them stand at the module's level, where their author gave them a name."""

    @property
    def length(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Outline:
    """A program as the proposer sees it. ``names`` are the module's own, with the kinds of its constants."""

    lines: tuple[str, ...]
    pieces: tuple[Piece, ...]
    names: dict[str, Kind]
    numpy: str | None

    @cached_property
    def scope(self) -> frozenset[tuple[str, Kind]]:
        """All that a piece takes from the module around it: pieces of the same text and scope are the same."""
        return frozenset(self.names.items())

    def replaced(self, piece: Piece, text: str) -> str:
        """The program's source with the piece's lines replaced."""
        body = text if text.endswith("\n") else text + "\n"
        return "".join((*self.lines[: piece.first], body, *self.lines[piece.last :]))


def outline(source: str) -> Outline:
    """Raises: SyntaxError where the source does not parse."""
    tree = parse(source)
    lines = tuple(source.splitlines(keepends=True))
    open_lines = evolving(lines)
    pieces = []
    for group in _groups(tree, open_lines):
        first, last = _first_line(group[0]) - 1, group[-1].end_lineno or 0
        inside = [line in open_lines for line in range(first, last)]
        if any(inside):
            text = "".join(lines[first:last])
            numbers = len(_NUMBER.findall(text))
            parameters = 0 if isinstance(group[0], _DEFINITIONS) else numbers
            pieces.append(Piece(first, last, text, not all(inside), numbers, parameters))
    return Outline(lines, tuple(pieces), _names(tree), _numpy(tree))


def evolving(lines: tuple[str, ...]) -> frozenset[int]:
    """Numbers of the lines that may change: between the markers, or all of them where there is no marker."""
    found: set[int] = set()
    inside, marked = False, False
    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith(START):
            inside, marked = True, True
        elif text.startswith(END):
            inside = False
        elif inside:
            found.add(number)
    return frozenset(found) if marked else frozenset(range(len(lines)))


def frozen_parts(source: str) -> tuple[str, ...]:
    """The stretches of text that must stay as they are, markers included; none where there is no marker."""
    lines = tuple(source.splitlines(keepends=True))
    changing = evolving(lines)
    parts, current = [], ""
    for number, line in enumerate(lines):
        if number in changing:
            parts, current = ([*parts, current] if current else parts), ""
        else:
            current += line
    return tuple([*parts, current] if current else parts)


def signatures(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """Top-level functions with the names of their parameters."""
    return {
        node.name: tuple(argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def _groups(tree: ast.Module, open_lines: frozenset[int]) -> list[list[ast.stmt]]:
    """Definitions on their own, other statements in rows that no marker cuts; imports and docstrings are left out."""
    groups: list[list[ast.stmt]] = []
    open_row = False
    for node in tree.body:
        if isinstance(node, _IMPORTS) or _is_text(node):
            open_row = False
            continue
        joined = open_row and not isinstance(node, _DEFINITIONS)
        if joined and open_lines.issuperset(range(groups[-1][0].lineno - 1, node.end_lineno or 0)):
            groups[-1].append(node)
        else:
            groups.append([node])
        open_row = not isinstance(node, _DEFINITIONS)
    return groups


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
    return min(node.lineno, *(decorator.lineno for decorator in decorators), node.lineno)


def _names(tree: ast.Module) -> dict[str, Kind]:
    names: dict[str, Kind] = {}
    for node in tree.body:
        if isinstance(node, _IMPORTS):
            names |= {(alias.asname or alias.name).split(".")[0]: MODULE for alias in node.names}
        elif isinstance(node, _DEFINITIONS):
            names[node.name] = OTHER
        else:
            stored = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            names |= dict.fromkeys(stored, _constant(node))
    return names


def _constant(node: ast.stmt) -> Kind:
    value = getattr(node, "value", None)
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    if isinstance(value, ast.Constant):
        return {int: INT, float: NUMBER}.get(type(value.value), OTHER)
    return UNKNOWN


def _numpy(tree: ast.Module) -> str | None:
    """The name under which the module imports numpy."""
    imported = (alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names)
    return next((alias.asname or "numpy" for alias in imported if alias.name == "numpy"), None)
