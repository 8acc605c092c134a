"""Expressions: replaced, wrapped, unwrapped, extended; operators and functions swapped for like ones."""

from __future__ import annotations

import libcst as cst

from .kinds import Base, called
from .scene import Scene, in_index
from .tree import Spot, atom, code_of, words

MAX_TEXT = 60
_PLAIN_WRAPS = ("-{x}", "{x} * {x}", "1.0 / {x}")
_WRAPS = (
    "{np}.sqrt({np}.abs({x}))",
    "{np}.abs({x})",
    "{np}.sign({x})",
    "{np}.tanh({x})",
    "{np}.log1p({np}.abs({x}))",
    "{np}.exp(-{np}.abs({x}))",
    "1.0 / (1e-8 + {np}.abs({x}))",
    "{x} / (1e-8 + {np}.abs({x}))",
    "{np}.maximum({x}, 0.0)",
)
_ARRAY_WRAPS = (
    "{x} / (1e-8 + {np}.max({np}.abs({x})))",
    "{x} / (1e-8 + {np}.sqrt({np}.mean({x} * {x})))",
    "{x} - {np}.mean({x})",
)
FAMILIES = (
    ("maximum", "minimum", "add", "hypot"),
    ("sum", "mean", "max", "min", "median", "std"),
    ("argmin", "argmax"),
    ("sign", "tanh", "arctan", "cbrt", "arcsinh"),
    ("sqrt", "cbrt", "log1p", "abs", "square"),
    ("exp", "exp2", "expm1", "square"),
    ("floor", "ceil", "rint", "round"),
    ("sin", "cos"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("cumsum", "cumprod"),
    ("standard_normal", "random"),
)
_METHODS = words("sum mean max min std argmin argmax")
_ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.Divide)
_UPDATES = (cst.AddAssign, cst.SubtractAssign, cst.MultiplyAssign, cst.DivideAssign)
_ORDERS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)


class Replace:
    """Another expression of the same kind: a visible name, or one that stands elsewhere in the piece."""

    name = "replace_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        if not scene.expressions:
            return None
        spot = scene.pick(scene.expressions)
        place, typing = scene.kind(spot), scene.analysis.of(spot)
        broadcast = spot.parent is not None and isinstance(spot.parent.node, cst.BinaryOperation)
        names = [name for name, kind in scene.visible(spot).items() if typing.fits(kind, place, broadcast)]
        others = [other for other in scene.shuffled(scene.expressions)[:30] if other.function is spot.function]
        texts = [code_of(other.node) for other in others if typing.fits(scene.kind(other), place, broadcast)]
        pool = [text for text in (*names, *names, *texts) if text != code_of(spot.node) and len(text) < MAX_TEXT]
        return scene.edit(spot, scene.pick(pool)) if pool else None


class Wrap:
    """A unary function around a value; guarded where it is not defined everywhere."""

    name = "wrap_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.arithmetic if not isinstance(spot.node, (cst.Float, cst.Integer))]
        if not spots:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.BaseExpression)
        wraps = _PLAIN_WRAPS
        if scene.numpy is not None:
            wraps += _WRAPS + (_ARRAY_WRAPS if scene.kind(spot).base is Base.ARRAY else ())
        return scene.edit(spot, scene.pick(wraps).format(np=scene.numpy, x=atom(spot.node)))


class Unwrap:
    """An operation or call gives way to one of its operands of the same kind."""

    name = "unwrap_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [
            s for s in scene.expressions if isinstance(s.node, (cst.BinaryOperation, cst.Call, cst.UnaryOperation))
        ]
        for spot in scene.shuffled(spots)[:5]:
            place, typing = scene.kind(spot), scene.analysis.of(spot)
            operands = [child for child in spot.walk() if child.depth in (spot.depth + 1, spot.depth + 2)]
            fitting = [
                operand.node
                for operand in operands
                if isinstance(operand.node, cst.BaseExpression)
                and operand.field in ("left", "right", "expression", "value", "body", "orelse")
                and operand.parent in (spot, *(child for child in spot.children if isinstance(child.node, cst.Arg)))
                and typing.fits(typing.kind(operand.node), place, True)
            ]
            if fitting:
                return scene.edit(spot, scene.pick(fitting))
        return None


class Extend:
    """``x`` becomes ``x + c * y``, ``x * y`` or the like, with a visible ``y``."""

    name = "extend_expression"
    _forms = (
        "{x} + {c} * {y}",
        "{x} - {c} * {y}",
        "{x} + {c} / {y}",
        "{x} * {y}",
        "{x} / {y}",
        "{x} / (1e-8 + abs({y}))",
        "{x} + {y}",
        "{x} - {y}",
    )

    def apply(self, scene: Scene) -> cst.Module | None:
        if not scene.arithmetic:
            return None
        spot = scene.pick(scene.arithmetic)
        place, typing = scene.kind(spot), scene.analysis.of(spot)
        names = [name for name, kind in scene.visible(spot).items() if typing.fits(kind, place, True)]
        if not names or not isinstance(spot.node, cst.BaseExpression):
            return None
        share = scene.pick(("0.01", "0.1", "0.3", "0.5", "1.5"))
        return scene.edit(spot, scene.pick(self._forms).format(x=atom(spot.node), y=scene.pick(names), c=share))


class SwapOperator:
    """``+ - * /`` for one another, in operations and updates."""

    name = "swap_operator"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [s for s in scene.tree.of(*_ARITHMETIC, *_UPDATES) if not in_index(s)]
        if not spots:
            return None
        spot = scene.pick(spots)
        family = _ARITHMETIC if isinstance(spot.node, _ARITHMETIC) else _UPDATES
        return scene.tree.edited({spot: scene.pick([kind for kind in family if not isinstance(spot.node, kind)])()})


class SwapOperands:
    """``a - b`` becomes ``b - a``; the branches of a conditional expression change places."""

    name = "swap_operands"

    def apply(self, scene: Scene) -> cst.Module | None:
        ordered = (cst.Subtract, cst.Divide)
        spots = [
            s for s in scene.tree.of(cst.BinaryOperation) if isinstance(getattr(s.node, "operator", None), ordered)
        ]
        spots += scene.tree.of(cst.IfExp)
        if not spots:
            return None
        spot = scene.pick(spots)
        one, other = ("left", "right") if isinstance(spot.node, cst.BinaryOperation) else ("body", "orelse")
        sides = {child.field: child for child in spot.children}
        first, second = sides[one], sides[other]
        return scene.tree.edited({first: scene.fitted(first, second.node), second: scene.fitted(second, first.node)})


class SwapFunction:
    """A function for one of like arity: ``np.maximum`` for ``np.minimum``, ``x.sum()`` for ``x.mean()``."""

    name = "swap_function"

    def apply(self, scene: Scene) -> cst.Module | None:
        calls = [spot for spot in scene.tree.of(cst.Call) if self._others(scene, spot)]
        if not calls:
            return None
        spot = scene.pick(calls)
        assert isinstance(spot.node, cst.Call)
        assert isinstance(spot.node.func, cst.Attribute)
        function = spot.node.func.with_changes(attr=cst.Name(scene.pick(self._others(scene, spot))))
        return scene.tree.edited({spot: spot.node.with_changes(func=function)})

    @staticmethod
    def _others(scene: Scene, spot: Spot) -> list[str]:
        node = spot.node
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return []
        name, owner = called(node), code_of(node.func.value)
        others = [other for family in FAMILIES if name in family for other in family if other != name]
        if owner == scene.numpy:
            return others
        return [other for other in others if other in _METHODS] if name in _METHODS else []


class SwapComparison:
    """An ordering for another: ``<`` for ``<=``, ``>`` or ``>=``."""

    name = "swap_comparison"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = scene.tree.of(*_ORDERS)
        if not spots:
            return None
        spot = scene.pick(spots)
        return scene.tree.edited({spot: scene.pick([kind for kind in _ORDERS if not isinstance(spot.node, kind)])()})


EXPRESSIONS = (
    Replace(),
    Wrap(),
    Unwrap(),
    Extend(),
    SwapOperator(),
    SwapOperands(),
    SwapFunction(),
    SwapFunction(),
    SwapComparison(),
)
