"""Statements: deleted, repeated, moved, cloned from elsewhere."""

from __future__ import annotations

import builtins

import libcst as cst

from .kinds import Base
from .scene import Scene, assigned, names_in
from .tree import Spot, Tree, renamed

_KEPT = (cst.Import, cst.ImportFrom, cst.Return, cst.Global, cst.Nonlocal)


def changeable(tree: Tree) -> list[Spot]:
    """Statements inside functions that may go or move: no imports, returns, nested definitions or docstrings."""
    return [spot for spot in tree.statements if spot.function is not None and _may_move(spot)]


def _may_move(spot: Spot) -> bool:
    node = spot.node
    if isinstance(node, cst.SimpleStatementLine):
        first = node.body[0]
        text = isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString)
        return not text and not isinstance(first, _KEPT)
    return isinstance(node, (cst.For, cst.While, cst.If, cst.With, cst.Try))


def bare(spot: Spot) -> cst.BaseStatement:
    """The statement without the comments that belong to its place."""
    node = spot.node
    if isinstance(node, cst.SimpleStatementLine):
        return node.with_changes(leading_lines=[], trailing_whitespace=cst.TrailingWhitespace())
    assert isinstance(node, cst.BaseStatement)
    return node.with_changes(leading_lines=[])


def after(spot: Spot) -> Spot | None:
    """The next statement of the same block."""
    if spot.parent is None or spot.index is None:
        return None
    siblings = [child for child in spot.parent.children if child.field == spot.field]
    return siblings[spot.index + 1] if spot.index + 1 < len(siblings) else None


class Delete:
    """A statement goes."""

    name = "delete_statement"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in changeable(scene.tree) if spot.parent and len(spot.parent.children) > 1]
        return scene.tree.edited({scene.pick(spots): []}) if spots else None


class Duplicate:
    """A statement runs twice, where the second time does something: it reads what it writes, or is a loop."""

    name = "duplicate_statement"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in changeable(scene.tree) if self._repeats(spot)]
        if not spots:
            return None
        spot = scene.pick(spots)
        return scene.tree.edited({spot: [spot.node, bare(spot)]})

    @staticmethod
    def _repeats(spot: Spot) -> bool:
        if isinstance(spot.node, (cst.For, cst.While)):
            return True
        pair = assigned(spot)
        return pair is not None and pair[0] in names_in(pair[1])


class Swap:
    """Two neighbouring statements change places."""

    name = "swap_statements"

    def apply(self, scene: Scene) -> cst.Module | None:
        movable = changeable(scene.tree)
        pairs = [(spot, after(spot)) for spot in movable if after(spot) in movable]
        if not pairs:
            return None
        one, other = scene.pick(pairs)
        assert other is not None
        return scene.tree.edited({one: other.node, other: one.node})


class Move:
    """A statement goes elsewhere in its function."""

    name = "move_statement"

    def apply(self, scene: Scene) -> cst.Module | None:
        movable = changeable(scene.tree)
        spots = [spot for spot in movable if spot.parent and len(spot.parent.children) > 1]
        if len(spots) < 2:
            return None
        spot = scene.pick(spots)
        places = [s for s in movable if s.function is spot.function and s is not spot and spot not in s.ancestors()]
        if not places:
            return None
        place = scene.pick(places)
        moved = [bare(spot), place.node] if scene.chance(0.5) else [place.node, bare(spot)]
        if place in spot.ancestors():
            return None
        return scene.tree.edited({spot: [], place: moved})


class Clone:
    """A statement from elsewhere in the program is inserted, its names replaced by visible ones of like kind."""

    name = "clone_statement"

    def apply(self, scene: Scene) -> cst.Module | None:
        places = changeable(scene.tree)
        donor = scene.pick([lambda: scene.tree, *scene.donors])()
        sources = [spot for spot in changeable(donor) if isinstance(spot.node, cst.SimpleStatementLine)]
        if not places or not sources:
            return None
        place, source = scene.pick(places), scene.pick(sources)
        adapted = adapt(scene, bare(source), source, place, own=donor is scene.tree)
        return scene.tree.edited({place: [adapted, place.node]})


def adapt(scene: Scene, node: cst.CSTNode, source: Spot, place: Spot, own: bool) -> cst.CSTNode:
    """Names that do not exist at ``place`` become ones that do; of an own clone one name is always changed."""
    visible = scene.visible(place)
    names = sorted(names_in(node) - set(scene.module_names) - _callees(source))
    foreign = [name for name in names if name not in visible and not hasattr(builtins, name)]
    changed = foreign or ([scene.pick(names)] if own and names else [])
    table: dict[str, str] = {}
    for name in changed:
        kind = scene.analysis.of(source).names.get(name) if own else None
        like = [other for other, its in visible.items() if kind is None or its.base in (kind.base, Base.UNKNOWN)]
        if like:
            table[name] = scene.pick(like)
    return renamed(node, table)


def _callees(spot: Spot) -> frozenset[str]:
    """Names that are called or looked into: no value of another kind may take their place."""
    fields = ("func", "value")
    below = [s for s in spot.walk() if isinstance(s.parent and s.parent.node, (cst.Call, cst.Attribute))]
    return frozenset(s.node.value for s in below if s.field in fields and isinstance(s.node, cst.Name))


STATEMENTS = (Delete(), Duplicate(), Swap(), Move(), Clone())
