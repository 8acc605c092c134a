"""Numbers: perturbed, snapped to round ones, and factors brought in where there were none."""

from __future__ import annotations

import math

import libcst as cst
import numpy as np

from .scene import Scene, in_index
from .tree import Spot, Tree, atom, code_of, words

NICE = (0.0, 0.5, 1.0, 2.0, 0.1, 0.2, 0.25, 0.3, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 1.5, 3.0, 5.0, 10.0)
BOLD_FACTORS = (0.1, 0.2, 0.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
SPREADS = (0.02, 0.1, 0.3, 1.0)
_FIXED_ARGUMENTS = words("axis ndim keepdims ddof k indexing")


def literals(tree: Tree) -> list[Spot]:
    """Numbers that are no index, shape, axis or loop bound."""
    return [spot for spot in tree.of(cst.Float, cst.Integer) if _is_free(spot)]


def _is_free(spot: Spot) -> bool:
    if isinstance(spot.node, cst.Float):
        return math.isfinite(float(spot.node.evaluated_value))
    if len(code_of(spot.node)) > 12:
        return False
    argument = spot.nearest(cst.Arg)
    named = argument is not None and isinstance(argument.node, cst.Arg) and argument.node.keyword is not None
    if named and argument.node.keyword.value in _FIXED_ARGUMENTS:  # type: ignore[union-attr]
        return False
    return not in_index(spot)


def number(value: float) -> str:
    """A literal of at most four digits beyond what a small change needs."""
    text = f"{value:.6g}"
    return text if any(mark in text for mark in ".en") else text + ".0"


def literal(value: float) -> cst.BaseExpression:
    """Raises: ValueError for what no literal can say."""
    if not math.isfinite(value):
        raise ValueError(value)
    return cst.parse_expression(number(value))


def perturbed(value: float, rng: np.random.Generator) -> float:
    """A nearby number: by a factor, on the scale of the distance to 1 for shares just below it, or of other sign."""
    spread = SPREADS[int(rng.integers(len(SPREADS)))]
    factor = math.exp(spread * rng.standard_normal())
    draw = rng.random()
    if value == 0.0:
        return float(10.0 ** rng.uniform(-4, 0) * rng.choice((-1, 1)))
    if 0.8 <= value < 1.0 and draw < 0.6:
        return 1.0 - (1.0 - value) * factor
    if draw < 0.05:
        return -value
    if draw < 0.3:
        return value + spread * rng.standard_normal() * max(abs(value), 0.1)
    return value * factor


def shifted(value: int, rng: np.random.Generator) -> int:
    """A nearby integer: one more or less, half, double, or by some tens of percent."""
    choices = (value + 1, value - 1, 2 * value, value // 2, round(value * math.exp(0.4 * rng.standard_normal())))
    return int(choices[int(rng.integers(len(choices)))])


def _varied(spot: Spot, rng: np.random.Generator) -> cst.BaseExpression:
    if isinstance(spot.node, cst.Integer):
        value = int(spot.node.evaluated_value)
        if rng.random() < 0.7 or _needs_integer(spot):
            return cst.parse_expression(str(shifted(value, rng)))
        return literal(perturbed(float(value), rng))
    assert isinstance(spot.node, cst.Float)
    return literal(perturbed(float(spot.node.evaluated_value), rng))


def _needs_integer(spot: Spot) -> bool:
    """Whether a whole number was meant: a count by its size or its operator, or a constant of the module."""
    parent = spot.parent.node if spot.parent else None
    counted = isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, (cst.Modulo, cst.FloorDivide))
    return counted or spot.function is None or not isinstance(parent, (cst.BinaryOperation, cst.Comparison))


class Perturb:
    """A number takes a step of random size, or another sign."""

    name = "perturb_constant"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = literals(scene.tree)
        if not spots:
            return None
        spot = scene.pick(spots)
        return scene.edit(spot, _varied(spot, scene.rng))


class PerturbSeveral:
    """Small steps of several neighbouring numbers at once, as coefficients that depend on each other need."""

    name = "perturb_constants"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in literals(scene.tree) if isinstance(spot.node, cst.Float)]
        if len(spots) < 2:
            return None
        first = int(scene.rng.integers(len(spots) - 1))
        chosen = spots[first : first + int(scene.rng.integers(2, 7))]
        spread = 10.0 ** scene.rng.uniform(-3, -0.5)
        return scene.tree.edited({spot: scene.fitted(spot, self._step(spot, spread, scene)) for spot in chosen})

    @staticmethod
    def _step(spot: Spot, spread: float, scene: Scene) -> cst.BaseExpression:
        assert isinstance(spot.node, cst.Float)
        value = float(spot.node.evaluated_value)
        return literal(value * (1.0 + spread * scene.rng.standard_normal()))


class Refine:
    """A very small step of one number, for constants that are already good."""

    name = "refine_constant"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in literals(scene.tree) if isinstance(spot.node, cst.Float)]
        if not spots:
            return None
        spot = scene.pick(spots)
        spread = 10.0 ** scene.rng.uniform(-3.5, -1)
        return scene.edit(spot, PerturbSeveral._step(spot, spread, scene))


class Snap:
    """A number becomes a round one near it: 0.1, 0.5, a power of ten."""

    name = "snap_constant"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in literals(scene.tree) if isinstance(spot.node, cst.Float)]
        if not spots:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.Float)
        value = float(spot.node.evaluated_value)
        power = 10.0 ** round(math.log10(value) + scene.rng.integers(-1, 2)) if value > 0 else 0.1
        near = [nice for nice in NICE if value / 5 <= nice <= value * 5 + 0.1]
        return scene.edit(spot, literal(scene.pick([power, *(near or NICE)])))


class Scale:
    """``x`` becomes ``0.9 * x``; with a small chance ``x + 0.001``."""

    name = "scale_expression"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.arithmetic if not self._has_factor(spot)]
        if not spots:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.BaseExpression)
        if scene.chance(0.25):
            offset = number(float(10.0 ** scene.rng.uniform(-4, 0)))
            return scene.edit(spot, f"{atom(spot.node)} {scene.pick(('+', '-'))} {offset}")
        factor = number(float(np.exp(scene.pick((0.1, 0.4, 1.0)) * scene.rng.standard_normal())))
        return scene.edit(spot, f"{factor} * {atom(spot.node)}")

    @staticmethod
    def _has_factor(spot: Spot) -> bool:
        """Whether a factor here would only join another one."""
        above = spot.parent.node if spot.parent is not None else None
        products = [node for node in (spot.node, above) if isinstance(node, cst.BinaryOperation)]
        scaled = any(isinstance(side, cst.Float) for node in products[:1] for side in (node.left, node.right))
        within = isinstance(above, cst.BinaryOperation) and isinstance(above.operator, (cst.Multiply, cst.Divide))
        return isinstance(spot.node, (cst.Float, cst.Integer)) or within or scaled


class Precision:
    """A tolerance (a small number in a comparison or a keyword called so) by powers of ten."""

    name = "change_tolerance"

    def apply(self, scene: Scene) -> cst.Module | None:
        small = [
            spot for spot in literals(scene.tree) if isinstance(spot.node, cst.Float) and self._is_small(spot.node)
        ]
        if not small:
            return None
        spot = scene.pick(small)
        assert isinstance(spot.node, cst.Float)
        value = float(spot.node.evaluated_value) * 10.0 ** int(scene.pick((-3, -2, -1, 1, 2, 3)))
        return scene.edit(spot, literal(value))

    @staticmethod
    def _is_small(node: cst.Float) -> bool:
        return 0.0 < float(node.evaluated_value) <= 1e-2


class Parameter:
    """A bold step of a number that its author named at the module's level: what was named was meant to be chosen.

    Every name has the same chance, also where it stands for several numbers.
    """

    name = "change_parameter"

    def apply(self, scene: Scene) -> cst.Module | None:
        named: dict[Spot, list[Spot]] = {}
        for spot in literals(scene.tree):
            assignment = spot.nearest(cst.Assign)
            if spot.function is None and assignment is not None:
                named.setdefault(assignment, []).append(spot)
        if not named:
            return None
        spot = scene.pick(scene.pick(list(named.values())))
        if isinstance(spot.node, cst.Integer):
            value = int(spot.node.evaluated_value)
            steps = [value + step for step in (-1, 1, 2, 3)] + [round(value * factor) for factor in BOLD_FACTORS]
            return scene.edit(spot, str(max(0, scene.pick(steps))))
        assert isinstance(spot.node, cst.Float)
        return scene.edit(spot, literal(float(spot.node.evaluated_value) * scene.pick(BOLD_FACTORS)))


CONSTANTS = (Perturb(), Perturb(), PerturbSeveral(), Refine(), Snap(), Scale(), Precision())
PARAMETERS = (Parameter(),)
