"""Crossover with inspirations: definitions, statements and values of the same name."""

from __future__ import annotations

import libcst as cst

from .constants import literal
from .scene import Scene, assigned
from .statements import adapt, bare, changeable
from .tree import Spot, Tree, code_of


class GraftDefinition:
    """A function's body gives way to the body that an inspiration has under the same name."""

    name = "graft_definition"

    def apply(self, scene: Scene) -> cst.Module | None:
        own = {
            spot.node.name.value: spot
            for spot in scene.tree.of(cst.FunctionDef)
            if isinstance(spot.node, cst.FunctionDef)
        }
        for inspiration in scene.shuffled(scene.inspirations):
            for other in inspiration().of(cst.FunctionDef):
                assert isinstance(other.node, cst.FunctionDef)
                spot = own.get(other.node.name.value)
                if spot is not None and code_of(spot.node) != code_of(other.node):
                    return scene.tree.edited({spot: spot.node.with_changes(body=other.node.body)})
        return None


class GraftValue:
    """An assignment takes the value that an inspiration assigns to the same name."""

    name = "graft_value"

    def apply(self, scene: Scene) -> cst.Module | None:
        own = _assignments(scene.tree)
        for inspiration in scene.shuffled(scene.inspirations):
            theirs = _assignments(inspiration())
            shared = [name for name in own if name in theirs and code_of(own[name].node) != code_of(theirs[name].node)]
            if shared:
                name = scene.pick(shared)
                return scene.tree.edited({own[name]: bare(theirs[name])})
        return None


class GraftStatement:
    """A statement gives way to one of an inspiration, or is joined by it; names are matched."""

    name = "graft_statement"

    def apply(self, scene: Scene) -> cst.Module | None:
        places = changeable(scene.tree)
        if not places or not scene.inspirations:
            return None
        here = {code_of(spot.node) for spot in scene.tree.statements}
        foreign = [s for s in changeable(scene.pick(scene.inspirations)()) if code_of(s.node) not in here]
        if not foreign:
            return None
        place, source = scene.pick(places), scene.pick(foreign)
        adapted = adapt(scene, bare(source), source, place, own=False)
        return scene.tree.edited({place: [adapted] if scene.chance(0.5) else [adapted, place.node]})


class Extrapolate:
    """The numbers move along the line through those of an inspiration that has the same form, towards it or away."""

    name = "extrapolate_constants"

    def apply(self, scene: Scene) -> cst.Module | None:
        form = _form(scene.tree)
        mine = scene.tree.of(cst.Float)
        others = [tree for source in scene.inspirations if _form(tree := source()) == form]
        if not mine or not others:
            return None
        reach = float(scene.rng.normal(0.0, 0.8))
        moved = {
            spot: scene.fitted(spot, literal(_value(spot) + reach * (_value(other) - _value(spot))))
            for spot, other in zip(mine, scene.pick(others).of(cst.Float), strict=True)
            if _value(spot) != _value(other)
        }
        return scene.tree.edited(moved) if moved else None


def _form(tree: Tree) -> list[type[cst.CSTNode]]:
    return [type(spot.node) for spot in tree.spots]


def _value(spot: Spot) -> float:
    assert isinstance(spot.node, cst.Float)
    return float(spot.node.evaluated_value)


def _assignments(tree: Tree) -> dict[str, Spot]:
    return {pair[0]: spot for spot in tree.statements if (pair := assigned(spot))}


CROSSOVER = (Extrapolate(), Extrapolate(), GraftDefinition(), GraftValue(), GraftStatement())
