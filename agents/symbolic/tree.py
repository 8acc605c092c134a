"""A piece of source as an indexed libcst tree: where every node hangs, and edits that copy only the way to the root."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import libcst as cst

Replacement = cst.CSTNode | Sequence[cst.CSTNode]
"""One node for another; in a sequence of statements also none or several."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LAYOUT = words(
    "lpar rpar comma equal leading_lines header footer trailing_whitespace semicolon colon "
    "lines_after_decorators annotation returns decorators asname asynchronous keyword attr dot star lbracket "
    "rbracket lbrace rbrace type_parameters first_colon second_colon bar"
)
_LEAVES = (cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal, cst.FormattedString, cst.SimpleString)
_STORING = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr, cst.Del)
_ATOMS = (
    cst.Name,
    cst.Integer,
    cst.Float,
    cst.Call,
    cst.Attribute,
    cst.Subscript,
    cst.List,
    cst.SimpleString,
    cst.Dict,
    cst.ListComp,
)
_EMPTY = cst.Module([])


def code_of(node: cst.CSTNode) -> str:
    """The text of a node, without the comments that stand before a statement."""
    return _EMPTY.code_for_node(node).strip()


def atom(node: cst.BaseExpression | str) -> str:
    """The text of an expression, in parentheses where an operator beside it could tear it apart."""
    expression = cst.parse_expression(node) if isinstance(node, str) else node
    text = code_of(expression)
    return text if isinstance(expression, _ATOMS) or expression.lpar else f"({text})"


def parenthesized(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, _ATOMS) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    skipped = {"name"} if issubclass(kind, (cst.FunctionDef, cst.ClassDef)) else set()
    skipped |= {"params"} if issubclass(kind, cst.Lambda) else set()
    names = (name for name in kind.__dataclass_fields__ if not name.startswith("whitespace"))
    return tuple(name for name in names if name not in _LAYOUT and name not in skipped)


def parts(node: cst.CSTNode) -> Iterator[tuple[str, int | None, cst.CSTNode]]:
    """The children that mean something, with field and index: no layout, annotations, names of attributes."""
    if isinstance(node, _LEAVES):
        return
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield name, None, value
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                if isinstance(item, cst.CSTNode):
                    yield name, index, item


def renamed(node: cst.CSTNode, names: Mapping[str, str]) -> cst.CSTNode:
    """The same code with names replaced."""
    if isinstance(node, cst.Name):
        return node.with_changes(value=names.get(node.value, node.value))
    changes: dict[str, object] = {}
    for name, index, child in parts(node):
        new = renamed(child, names)
        if new is child:
            continue
        if index is None:
            changes[name] = new
        else:
            items = list(changes.get(name, getattr(node, name)))  # type: ignore[call-overload]
            items[index] = new
            changes[name] = items
    return node.with_changes(**changes) if changes else node


@dataclass(eq=False, slots=True)
class Spot:
    """A node and where it hangs. ``order`` counts in source order; ``stored`` marks targets of assignments."""

    node: cst.CSTNode
    parent: Spot | None
    field: str
    index: int | None
    depth: int
    order: int
    stored: bool
    children: list[Spot] = dataclasses.field(default_factory=list)

    def ancestors(self) -> Iterator[Spot]:
        spot = self.parent
        while spot is not None:
            yield spot
            spot = spot.parent

    def nearest(self, *kinds: type[cst.CSTNode]) -> Spot | None:
        return next((spot for spot in self.ancestors() if isinstance(spot.node, kinds)), None)

    @property
    def statement(self) -> Spot:
        """The innermost statement that holds the node, or the node itself if it is one."""
        if isinstance(self.node, cst.BaseStatement):
            return self
        return next(spot for spot in self.ancestors() if isinstance(spot.node, cst.BaseStatement))

    @property
    def function(self) -> Spot | None:
        return self.nearest(cst.FunctionDef)

    @property
    def loop(self) -> Spot | None:
        """The innermost loop of the same function in whose body the node stands."""
        child = self
        for spot in self.ancestors():
            if isinstance(spot.node, cst.FunctionDef):
                return None
            if isinstance(spot.node, (cst.For, cst.While)) and child.field == "body":
                return spot
            child = spot
        return None

    def walk(self) -> Iterator[Spot]:
        yield self
        for child in self.children:
            yield from child.walk()


class Tree:
    """An immutable module with an index of its nodes. ``fixed`` names functions whose parameters are not entered."""

    def __init__(self, module: cst.Module, fixed: frozenset[str] = frozenset()) -> None:
        self.module = module
        self._fixed = fixed
        self.spots: list[Spot] = []
        self.root = self._add(module, None, "", None, 0, False)
        self.by_kind: dict[type[cst.CSTNode], list[Spot]] = defaultdict(list)
        for spot in self.spots:
            self.by_kind[type(spot.node)].append(spot)

    @classmethod
    def parse(cls, source: str, fixed: frozenset[str] = frozenset()) -> Tree:
        """Raises: libcst.ParserSyntaxError."""
        return cls(cst.parse_module(source), fixed)

    def _add(
        self, node: cst.CSTNode, parent: Spot | None, name: str, index: int | None, depth: int, stored: bool
    ) -> Spot:
        spot = Spot(node, parent, name, index, depth, len(self.spots), stored)
        self.spots.append(spot)
        sealed = isinstance(node, cst.FunctionDef) and node.name.value in self._fixed
        for child_name, child_index, child in parts(node):
            if sealed and child_name == "params":
                continue
            target = child_name == "target" and isinstance(node, _STORING)
            inherited = (stored and child_name != "slice") or (isinstance(node, cst.Param) and child_name == "name")
            spot.children.append(self._add(child, spot, child_name, child_index, depth + 1, target or inherited))
        return spot

    def of(self, *kinds: type[cst.CSTNode]) -> list[Spot]:
        """The spots of these exact node types, in source order for each type."""
        return [spot for kind in kinds for spot in self.by_kind.get(kind, ())]

    @property
    def statements(self) -> list[Spot]:
        """What stands in a block or at the top, one line or compound."""
        return [
            spot
            for spot in self.spots
            if isinstance(spot.node, cst.BaseStatement)
            and isinstance(_container(spot), (cst.IndentedBlock, cst.Module))
        ]

    def edited(
        self,
        edits: Mapping[Spot, Replacement],
        before: Mapping[Spot, Sequence[cst.CSTNode]] = MappingProxyType({}),
        after: Mapping[Spot, Sequence[cst.CSTNode]] = MappingProxyType({}),
    ) -> cst.Module:
        """The module with nodes replaced and statements put before or after others; the rest is shared with this tree.

        An edit of a node makes edits below it void.
        """
        done: dict[Spot, Replacement] = {spot: spot.node for spot in (*before, *after)} | dict(edits)
        for depth in range(max(spot.depth for spot in done), 0, -1):
            families: dict[Spot, dict[Spot, Replacement]] = defaultdict(dict)
            for spot, replacement in done.items():
                if spot.depth == depth and spot.parent is not None and spot.parent not in edits:
                    around = spot in before or spot in after
                    row = [*before.get(spot, ()), *_row(replacement), *after.get(spot, ())] if around else replacement
                    families[spot.parent][spot] = row
            done |= {parent: _with_children(parent.node, changed) for parent, changed in families.items()}
        module = done[self.root]
        assert isinstance(module, cst.Module)
        return module


def _row(replacement: Replacement) -> Sequence[cst.CSTNode]:
    return [replacement] if isinstance(replacement, cst.CSTNode) else replacement


def _container(spot: Spot) -> cst.CSTNode | None:
    return spot.parent.node if spot.parent is not None else None


def _with_children(node: cst.CSTNode, changed: Mapping[Spot, Replacement]) -> cst.CSTNode:
    fields: dict[str, object] = {}
    for spot in sorted(changed, key=lambda spot: spot.index or 0, reverse=True):
        replacement = changed[spot]
        if spot.index is None:
            fields[spot.field] = replacement
            continue
        items = list(fields.get(spot.field, getattr(node, spot.field)))  # type: ignore[call-overload]
        items[spot.index : spot.index + 1] = _row(replacement)
        fields[spot.field] = items
    return node.with_changes(**fields)
