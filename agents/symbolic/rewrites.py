"""Rewrites of statements that experts make by hand, to do the same with less work."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import libcst as cst

from .control import body_of
from .kinds import Base, called
from .patterns import Pattern
from .scene import Scene, assigned, names_in, statement
from .statements import bare
from .tree import Spot, atom, code_of, words

_PURE = words(
    "exp log sqrt abs sum mean max min dot matmul outer arange zeros ones eye linspace tanh sin cos transpose "
    "reshape float int len solve inv norm asarray diag log1p"
)


def stored_in(spot: Spot) -> frozenset[str]:
    """Names that the code below assigns or changes in place."""
    return frozenset(s.node.value for s in spot.walk() if s.stored and isinstance(s.node, cst.Name))


def is_pure(node: Spot) -> bool:
    """Whether evaluating an expression has no effect and always gives the same."""
    calls = [spot.node for spot in node.walk() if isinstance(spot.node, cst.Call)]
    return all(isinstance(call, cst.Call) and called(call) in _PURE for call in calls)


def value_of(spot: Spot) -> Spot | None:
    """The right-hand side of an assignment line."""
    return next(
        (s for s in spot.walk() if s.field == "value" and isinstance(s.parent and s.parent.node, cst.Assign)), None
    )


class Hoist:
    """An assignment that is the same in every pass moves before the loop."""

    name = "hoist_invariant"

    def apply(self, scene: Scene) -> cst.Module | None:
        found = [(loop, spot) for loop in scene.tree.of(cst.For, cst.While) for spot in self._invariant(loop)]
        if not found:
            return None
        loop, spot = scene.pick(found)
        return scene.tree.edited({spot: []}, before={loop: [bare(spot)]})

    @staticmethod
    def _invariant(loop: Spot) -> list[Spot]:
        changing, body = Counter(s.node.value for s in loop.walk() if s.stored and isinstance(s.node, cst.Name)), []
        for spot in body_of(loop):
            pair, value = assigned(spot), value_of(spot)
            if pair and value and changing[pair[0]] == 1 and not names_in(pair[1]) & set(changing) and is_pure(value):
                body.append(spot)
        return body if len(body_of(loop)) > 1 else []


class HoistExpression:
    """A sub-expression that is the same in every pass gets a name before the loop."""

    name = "hoist_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        found = []
        for loop in scene.tree.of(cst.For, cst.While):
            changing = stored_in(loop)
            spots = [s for s in loop.walk() if isinstance(s.node, (cst.Call, cst.BinaryOperation, cst.Attribute))]
            found += [(loop, s) for s in spots if s.loop is loop and self._worth(s) and not names_in(s.node) & changing]
        if not found:
            return None
        loop, spot = scene.pick(found)
        return extracted(scene, [s for s in loop.walk() if _is_same(s, spot)], loop)

    @staticmethod
    def _worth(spot: Spot) -> bool:
        if spot.stored or spot.field == "func" or not is_pure(spot):
            return False
        return not isinstance(spot.node, cst.Attribute) or spot.node.attr.value == "T"


def _is_same(one: Spot, other: Spot) -> bool:
    return type(one.node) is type(other.node) and not one.stored and code_of(one.node) == code_of(other.node)


class Share:
    """An expression that a block computes twice is computed once."""

    name = "share_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [s for s in scene.expressions if isinstance(s.node, (cst.BinaryOperation, cst.Call)) and is_pure(s)]
        groups: dict[tuple[str, Spot | None], list[Spot]] = {}
        for spot in spots:
            groups.setdefault((code_of(spot.node), spot.statement.parent), []).append(spot)
        shared = [group for group in groups.values() if len(group) > 1 and self._stays(group)]
        if not shared:
            return None
        group = scene.pick(shared)
        return extracted(scene, group, group[0].statement)

    @staticmethod
    def _stays(group: list[Spot]) -> bool:
        """Whether nothing between the first and the last use changes what the expression reads."""
        first, last = group[0].statement, group[-1].statement
        if first.parent is None or first.index is None or last.index is None:
            return False
        between = [s for s in first.parent.children if s.index is not None and first.index <= s.index < last.index]
        return not names_in(group[0].node) & frozenset(name for spot in between for name in stored_in(spot))


def extracted(scene: Scene, spots: list[Spot], before: Spot) -> cst.Module | None:
    """The expression of all these spots computed once, under a new name, before a statement."""
    if not isinstance(before.node, cst.BaseStatement):
        return None
    name = scene.fresh("shared")
    first = statement(f"{name} = {code_of(spots[0].node)}")
    return scene.tree.edited(dict.fromkeys(spots, cst.Name(name)), before={before: [first]})


class InPlace:
    """``a = a * b`` becomes ``a *= b``, without a new array."""

    name = "update_in_place"
    _operators: ClassVar = {cst.Add: "+=", cst.Subtract: "-=", cst.Multiply: "*=", cst.Divide: "/="}

    def apply(self, scene: Scene) -> cst.Module | None:
        found = [(spot, text) for spot in scene.tree.statements if (text := self._update(spot))]
        if not found:
            return None
        spot, text = scene.pick(found)
        return scene.tree.edited({spot: statement(text)})

    def _update(self, spot: Spot) -> str | None:
        pair = assigned(spot)
        if pair is None or not isinstance(pair[1], cst.BinaryOperation):
            return None
        name, value = pair
        assert isinstance(value, cst.BinaryOperation)
        operator = self._operators.get(type(value.operator))
        commutes = isinstance(value.operator, (cst.Add, cst.Multiply))
        if operator and code_of(value.left) == name:
            return f"{name} {operator} {code_of(value.right)}"
        return f"{name} {operator} {code_of(value.left)}" if commutes and code_of(value.right) == name else None


class Out:
    """``x = np.exp(y)`` for an array that exists already writes into it: ``np.exp(y, out=x)``."""

    name = "write_into"
    _functions = words("exp log sqrt abs tanh sin cos maximum minimum add multiply subtract divide dot matmul")

    def apply(self, scene: Scene) -> cst.Module | None:
        found = [(spot, pair) for spot in scene.tree.statements if (pair := assigned(spot)) and self._fits(scene, spot)]
        if not found:
            return None
        spot, (name, value) = scene.pick(found)
        assert isinstance(value, cst.Call)
        arguments = ", ".join(code_of(arg).rstrip(",") for arg in value.args)
        return scene.tree.edited({spot: statement(f"{code_of(value.func)}({arguments}, out={name})")})

    def _fits(self, scene: Scene, spot: Spot) -> bool:
        name, value = assigned(spot) or ("", None)
        if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute) or spot.loop is None:
            return False
        known = name in scene.visible(spot.loop) and scene.kind_of(value, spot).base is Base.ARRAY
        return known and code_of(value.func.value) == scene.numpy and called(value) in self._functions


class Narrow:
    """An array that the function works on is cast to single precision."""

    name = "single_precision"

    def apply(self, scene: Scene) -> cst.Module | None:
        if scene.numpy is None:
            return None
        spots = [s for s in scene.tree.statements if (pair := assigned(s)) and self._is_array(scene, s, pair[1])]
        functions = [s for s in scene.tree.of(cst.FunctionDef) if self._arrays(scene, s)]
        if functions and (not spots or scene.chance(0.5)):
            function = scene.pick(functions)
            name = scene.pick(self._arrays(scene, function))
            first = next((s for s in scene.tree.statements if s.function is function and not _is_text(s)), None)
            cast = statement(f"{name} = {name}.astype({scene.numpy}.float32)")
            return scene.tree.edited({}, before={first: [cast]}) if first else None
        if not spots:
            return None
        spot = scene.pick(spots)
        name, value = assigned(spot) or ("", cst.Name("None"))
        return scene.tree.edited({spot: statement(f"{name} = {atom(value)}.astype({scene.numpy}.float32)")})

    @staticmethod
    def _is_array(scene: Scene, spot: Spot, value: cst.BaseExpression) -> bool:
        return spot.function is not None and scene.kind_of(value, spot).base is Base.ARRAY

    @staticmethod
    def _arrays(scene: Scene, function: Spot) -> list[str]:
        assert isinstance(function.node, cst.FunctionDef)
        typing = scene.analysis.typing[function]
        names = [param.name.value for param in function.node.params.params]
        return [name for name in names if typing.names[name].base is Base.ARRAY]


def _is_text(spot: Spot) -> bool:
    line = spot.node
    first = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    return isinstance(first, cst.Expr) and isinstance(first.value, (cst.SimpleString, cst.ConcatenatedString))


REWRITES = (Pattern(), Pattern(), Pattern(), Hoist(), HoistExpression(), Share(), InPlace(), Out(), Narrow())
