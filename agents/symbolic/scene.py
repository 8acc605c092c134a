"""What a mutation sees: one piece of the program, its names and kinds, donors, and the random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import libcst as cst
import numpy as np

from .kinds import ARRAY_MEMBERS, ELEMENTWISE, INT, OTHER, SCALARS, UNKNOWN, Base, Kind, Typing, annotated, called
from .tree import Replacement, Spot, Tree, atom, code_of, parenthesized, parts, words

T = TypeVar("T")
TreeSource = Callable[[], Tree]
STEPS = ("t", "step", "it", "iteration", "epoch", "k", "i", "n_iter", "round")
TOTALS = ("total_steps", "steps", "total", "n_steps", "epochs", "max_iter", "iterations", "n_iter", "T")
_COMPARABLE = (cst.BinaryOperation, cst.UnaryOperation, cst.Call, cst.Subscript, cst.Name, cst.Float, cst.Attribute)
_CARRIERS = (cst.BinaryOperation, cst.UnaryOperation, cst.AugAssign, cst.Assign, cst.Return, cst.IfExp, cst.Comparison)
_TRANSPARENT = (cst.Arg, cst.ComparisonTarget, cst.Element, cst.Tuple, cst.SimpleStatementLine)
_TIGHT = (cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.Attribute, cst.Subscript, cst.ComparisonTarget)


class Mutation(Protocol):
    """One way to change a program."""

    @property
    def name(self) -> str: ...

    def apply(self, scene: Scene) -> cst.Module | None:
        """A changed piece, or None where the piece offers nothing to this mutation."""
        ...


class Analysis:
    """Names and kinds of a tree, found once per tree."""

    def __init__(
        self, tree: Tree, module_names: Mapping[str, Kind], signature: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.tree = tree
        self.bindings: dict[Spot | None, list[tuple[int, str]]] = {}
        self.typing: dict[Spot | None, Typing] = {None: Typing(module_names, objects=_objects(tree))}
        self._signature = signature
        for spot in tree.spots:
            self._read(spot)

    def of(self, spot: Spot) -> Typing:
        return self.typing[spot.function]

    @cached_property
    def expressions(self) -> list[Spot]:
        """Expressions that are read, have a kind worth matching, and are no callee or module."""
        return [spot for spot in self.tree.of(*_COMPARABLE, cst.Integer) if self._is_value(spot)]

    def _is_value(self, spot: Spot) -> bool:
        if spot.stored or spot.field == "func" or spot.function is None:
            return False
        return self.of(spot).kind(spot.node).base is not Base.MODULE and not in_index(spot)

    @cached_property
    def arithmetic(self) -> list[Spot]:
        """Values that take part in floating-point arithmetic, so that scaling or adding to them makes sense."""
        return [spot for spot in self.expressions if self._flows(spot)]

    def _flows(self, spot: Spot) -> bool:
        for ancestor in spot.ancestors():
            if isinstance(ancestor.node, cst.Call):
                if called(ancestor.node) not in ELEMENTWISE | {"sum", "mean", "dot", "append", "float"}:
                    return False
            elif isinstance(ancestor.node, cst.SimpleStatementLine):
                return self.of(spot).kind(spot.node).base in (Base.NUMBER, Base.ARRAY, Base.UNKNOWN)
            elif not isinstance(ancestor.node, (*_CARRIERS, *_TRANSPARENT)):
                return False
        return False

    def _read(self, spot: Spot) -> None:
        node = spot.node
        if isinstance(node, cst.FunctionDef):
            self._enter(spot, node)
        elif isinstance(node, cst.Assign):
            for target in node.targets:
                self._bind(spot, target.target, self.of(spot).kind(node.value))
        elif isinstance(node, cst.AugAssign):
            self._bind(spot, node.target, self.of(spot).kind(node.value))
        elif isinstance(node, cst.For):
            counted = isinstance(node.iter, cst.Call) and called(node.iter) in ("range", "reversed", "enumerate")
            self._bind(spot, node.target, INT if counted else UNKNOWN)

    def _enter(self, spot: Spot, node: cst.FunctionDef) -> None:
        outer = self.typing[spot.function]
        typing = Typing(outer.names, outer.shapes, outer.objects)
        promised = self._signature.get(node.name.value, {})
        bound = list(self.bindings.get(spot.function, ())) if spot.function else []
        for param in (*node.params.params, *node.params.kwonly_params):
            name = param.name.value
            text = code_of(param.annotation.annotation) if param.annotation else promised.get(name, "")
            guess = typing.kind(param.default) if param.default is not None else UNKNOWN
            found = annotated(text, name) if text else guess
            typing.names[name] = OTHER if found is UNKNOWN and name in typing.objects else found
            bound.append((spot.order, name))
        self.typing[spot], self.bindings[spot] = typing, bound

    def _bind(self, spot: Spot, target: cst.BaseExpression, kind: Kind) -> None:
        if isinstance(target, cst.Name):
            self.bindings.setdefault(spot.function, []).append((spot.order, target.value))
            self.of(spot).bind(target.value, kind)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                first = element is target.elements[0]
                self._bind(spot, element.value, kind if kind is INT and first else UNKNOWN)


def _objects(tree: Tree) -> frozenset[str]:
    """Names that are called, or looked into for what no array has: functions, lists, oracles."""
    members = (spot.node for spot in tree.of(cst.Attribute) if isinstance(spot.node, cst.Attribute))
    unusual = (node.value for node in members if node.attr.value not in ARRAY_MEMBERS)
    callees = (spot.node.func for spot in tree.of(cst.Call) if isinstance(spot.node, cst.Call))
    return frozenset(node.value for node in (*unusual, *callees) if isinstance(node, cst.Name))


@dataclass(frozen=True)
class Scene:
    """``donors`` are the program's other pieces, ``shown`` gives other programs' ones; each is parsed when called."""

    tree: Tree
    analysis: Analysis
    rng: np.random.Generator
    numpy: str | None
    module_names: Mapping[str, Kind]
    donors: Sequence[TreeSource] = ()
    shown: Callable[[], list[TreeSource]] = list

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.rng.integers(len(items)))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return [items[int(i)] for i in self.rng.permutation(len(items))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def edit(self, spot: Spot, replacement: Replacement | str) -> cst.Module:
        """The piece with one node replaced; text is parsed, and set in parentheses where it needs them."""
        return self.tree.edited({spot: self.fitted(spot, replacement)})

    def fitted(self, spot: Spot, replacement: Replacement | str) -> Replacement:
        node = cst.parse_expression(replacement) if isinstance(replacement, str) else replacement
        torn = isinstance(node, cst.BaseExpression) and _is_torn(node, spot)
        return parenthesized(node) if torn and isinstance(node, cst.BaseExpression) else node

    def kind(self, spot: Spot) -> Kind:
        return self.analysis.of(spot).kind(spot.node)

    def kind_of(self, node: cst.CSTNode, place: Spot) -> Kind:
        """The kind of code that is not (yet) part of the tree."""
        return self.analysis.of(place).kind(node)

    def visible(self, spot: Spot) -> dict[str, Kind]:
        """Values that names hold just before the statement of ``spot``."""
        start, typing = spot.statement.order, self.analysis.of(spot)
        local = [name for order, name in self.analysis.bindings.get(spot.function, ()) if order < start]
        own = {name: kind for name, kind in self.module_names.items() if kind.base in (*SCALARS, Base.ARRAY)}
        return own | {name: typing.names.get(name, UNKNOWN) for name in local}

    def fresh(self, stem: str) -> str:
        """A name that the piece and the module do not use yet."""
        stem = stem if stem.isidentifier() else "value"
        return next(name for name in (stem, *(f"{stem}_{i}" for i in range(2, 99))) if name not in self._taken)

    @cached_property
    def _taken(self) -> frozenset[str]:
        used = {spot.node.value for spot in self.tree.of(cst.Name) if isinstance(spot.node, cst.Name)}
        return frozenset(used | set(self.module_names))

    @property
    def expressions(self) -> list[Spot]:
        return self.analysis.expressions

    @property
    def arithmetic(self) -> list[Spot]:
        return self.analysis.arithmetic

    @cached_property
    def inspirations(self) -> list[TreeSource]:
        return self.shown()

    def clock(self, spot: Spot) -> str | None:
        """The name that counts steps at ``spot``: the variable of a ``range`` loop, or a parameter called so."""
        visible = self.visible(spot)
        child = spot
        for ancestor in spot.ancestors():
            node = ancestor.node
            if isinstance(node, cst.For) and child.field == "body" and is_range(node):
                name = code_of(node.target)
                return name if name != "_" else None
            if isinstance(node, cst.FunctionDef):
                names = {param.name.value for param in node.params.params}
                return next((name for name in STEPS if name in names & set(visible)), None)
            child = ancestor
        return None

    def horizon(self, spot: Spot) -> str | None:
        """The text of the number of steps: the bound of the enclosing ``range`` loop, or a parameter called so."""
        visible = self.visible(spot)
        loop = next((a for a in spot.ancestors() if isinstance(a.node, cst.For) and is_range(a.node)), None)
        if loop is not None and isinstance(loop.node, cst.For) and isinstance(loop.node.iter, cst.Call):
            arguments = loop.node.iter.args
            return atom(arguments[0].value) if len(arguments) == 1 else None
        return next((name for name in TOTALS if name in visible), None)


_SIZES = words("range zeros ones empty full eye identity arange linspace reshape tile repeat transpose")


def in_index(spot: Spot) -> bool:
    """Whether the node is (part of) an index, a shape or a loop bound."""
    for ancestor in spot.ancestors():
        if isinstance(ancestor.node, (cst.SubscriptElement, cst.Index, cst.Slice)):
            return True
        if isinstance(ancestor.node, cst.Call) and called(ancestor.node) in _SIZES:
            return True
        if isinstance(ancestor.node, cst.BaseStatement):
            return isinstance(ancestor.node, cst.For) and spot.field == "iter"
    return False


def is_range(node: cst.For) -> bool:
    return isinstance(node.target, cst.Name) and isinstance(node.iter, cst.Call) and called(node.iter) == "range"


def _is_torn(node: cst.BaseExpression, spot: Spot) -> bool:
    """Whether an expression needs parentheses to stay together where ``spot`` is."""
    around = spot.parent.node if spot.parent is not None else None
    if isinstance(around, cst.BinaryOperation) and isinstance(node, cst.BinaryOperation):
        outer, inner = (_STRENGTH.get(type(one.operator), 0) for one in (around, node))
        return min(outer, inner) == 0 or inner < outer or (inner == outer and spot.field == "right")
    if isinstance(around, (cst.Comparison, cst.ComparisonTarget)) and isinstance(node, cst.BinaryOperation):
        return False
    return isinstance(around, _TIGHT)


_STRENGTH: Mapping[type[cst.BaseBinaryOp], int] = {
    cst.Add: 1,
    cst.Subtract: 1,
    cst.Multiply: 2,
    cst.Divide: 2,
    cst.FloorDivide: 2,
    cst.Modulo: 2,
    cst.MatrixMultiply: 2,
}


def assigned(spot: Spot) -> tuple[str, cst.BaseExpression] | None:
    """Name and value of a line that is just ``name = value``; updates are written out (``x + y`` for ``x += y``)."""
    line = spot.node
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    small = line.body[0]
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name):
        return small.targets[0].target.value, small.value
    operator = _UPDATES.get(type(small.operator)) if isinstance(small, cst.AugAssign) else None
    if operator and isinstance(small, cst.AugAssign) and isinstance(small.target, cst.Name):
        name = small.target.value
        return name, cst.parse_expression(f"{name} {operator} {atom(small.value)}")
    return None


_UPDATES: Mapping[type[cst.BaseAugOp], str] = {
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.DivideAssign: "/",
}


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """Every name in a piece of code, read or written."""
    below = (names_in(child) for _, _, child in parts(node))
    return frozenset({node.value} if isinstance(node, cst.Name) else ()).union(*below)


def statement(text: str) -> cst.BaseStatement:
    parsed = cst.parse_statement(text)
    assert isinstance(parsed, cst.BaseStatement)
    return parsed
