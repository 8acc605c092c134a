"""A program with slots in the place of the numbers that may be tuned."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from ...archive import MAIN, Program
from ...archive.program import is_number
from ...evaluators.syntax import parse
from ..proposer import TaskCard
from ..symbolic.constants import literals, number
from ..symbolic.source import Outline, Piece, frozen_parts, outline
from ..symbolic.tree import Spot, Tree

_SLOT = re.compile(r"__slot_(\d+)__")
SMALLEST_COUNT = 3
"""Integers inside functions are tuned from here on: 0, 1 and 2 are mostly offsets, signs and powers."""


@dataclass(frozen=True, slots=True)
class Slot:
    """``value`` is the number that the program has there."""

    value: float
    whole: bool


@dataclass(frozen=True)
class Template:
    """``text`` is the program with a name ``__slot_i__`` in the place of its i-th number and of the number's sign."""

    program: Program
    text: str
    slots: tuple[Slot, ...]

    @classmethod
    def of(cls, program: Program, task: TaskCard) -> Template:
        """Raises: SyntaxError, libcst.ParserSyntaxError for a program that does not parse."""
        around = outline(program.source)
        lines, slots = list(around.lines), []
        for piece in reversed(around.pieces):  # from the last one, so that the lines before it keep their places
            tree = Tree.parse(piece.text, frozenset(task.entries))
            named: dict[Spot, cst.CSTNode] = {}
            for spot in _tunable(tree, piece, around):
                named[_signed(spot)] = cst.Name(f"__slot_{len(slots)}__")
                slots.append(_slot(spot))
            if named:
                lines[piece.first : piece.last] = tree.edited(named).code.splitlines(keepends=True)
        return cls(program, "".join(lines), tuple(slots))

    @cached_property
    def _pattern(self) -> ast.Module:
        return parse(self.text)

    def values(self, other: Program) -> list[float] | None:
        """The numbers that another program has in the slots, or None where it differs in anything else."""
        found: dict[int, float] = {}
        try:
            same = _match(self._pattern, parse(other.source), found)
        except SyntaxError:
            return None
        fits = same and all(not slot.whole or found[i] == int(found[i]) for i, slot in enumerate(self.slots))
        return [found[i] for i in range(len(self.slots))] if fits else None

    def filled(self, values: Sequence[float]) -> Program:
        """The program with these numbers in its slots, to six digits."""

        def written(slot: re.Match[str]) -> str:
            index = int(slot[1])
            value = values[index]
            text = str(round(value)) if self.slots[index].whole else number(value)
            return f"({text})" if value < 0 <= self.slots[index].value else text

        return Program({**self.program.files, MAIN: _SLOT.sub(written, self.text)})


def _tunable(tree: Tree, piece: Piece, around: Outline) -> Iterator[Spot]:
    for spot in sorted(literals(tree), key=lambda spot: spot.order):
        if isinstance(spot.node, cst.Integer) and spot.function is not None and _slot(spot).value < SMALLEST_COUNT:
            continue
        if not piece.guarded or _is_open(tree, spot, piece, around):
            yield spot


def _is_open(tree: Tree, spot: Spot, piece: Piece, around: Outline) -> bool:
    """Whether a number of a piece with a marker in it stands where the program may change."""
    changed = around.replaced(piece, tree.edited({_signed(spot): cst.Name("__open__")}).code)
    return frozen_parts(changed) == frozen_parts("".join(around.lines))


def _signed(spot: Spot) -> Spot:
    """The number with the minus before it."""
    above = spot.parent
    if above is not None and isinstance(above.node, cst.UnaryOperation) and isinstance(above.node.operator, cst.Minus):
        return above
    return spot


def _slot(spot: Spot) -> Slot:
    assert isinstance(spot.node, (cst.Float, cst.Integer))
    sign = 1.0 if _signed(spot) is spot else -1.0
    return Slot(sign * float(spot.node.evaluated_value), isinstance(spot.node, cst.Integer))


def _match(one: object, other: object, found: dict[int, float]) -> bool:
    """Whether two syntax trees are the same but for the numbers in the slots of the first, which are noted."""
    if isinstance(one, ast.Name) and (slot := _SLOT.fullmatch(one.id)):
        value = _number(other)
        if value is not None:
            found[int(slot[1])] = value
        return value is not None
    if isinstance(one, ast.AST):
        return type(one) is type(other) and all(
            _match(getattr(one, field, None), getattr(other, field, None), found) for field in one._fields
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(_match(mine, its, found) for mine, its in zip(one, other, strict=True))
        )
    return type(one) is type(other) and one == other


def _number(node: object) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand)
        return None if value is None else -value
    return float(node.value) if isinstance(node, ast.Constant) and is_number(node) else None  # type: ignore[arg-type]
