"""Control flow: loop bounds and order, stopping rules, how often something is done."""

from __future__ import annotations

import libcst as cst

from .kinds import Base
from .scene import Scene, assigned, is_range, names_in, statement
from .statements import bare, changeable
from .tree import Spot, atom

INTERVALS = (2, 3, 4, 5, 8, 10, 16, 20, 25, 50, 100)
_BOUNDS = ("{n} // 2", "2 * {n}", "{n} + 1", "{n} - 1", "3 * {n}", "{n} // 4", "max(1, {n} // 3)")


def body_of(loop: Spot) -> list[Spot]:
    """The statements of a loop's body; none where the body stands on the loop's own line."""
    block = next(child for child in loop.children if child.field == "body")
    return [child for child in block.children if isinstance(child.node, cst.BaseStatement)]


def carried(scene: Scene, loop: Spot) -> list[tuple[Spot, str, cst.BaseExpression]]:
    """Plain assignments in the loop's own body to numbers or arrays that exist before it."""
    before = scene.visible(loop)
    found = []
    for spot in body_of(loop):
        pair = assigned(spot)
        if pair and pair[0] in before and before[pair[0]].base in (Base.NUMBER, Base.ARRAY, Base.UNKNOWN):
            found.append((spot, *pair))
    return found


class LoopBound:
    """More or fewer passes: half, double, one more or less; a literal bound by a random factor."""

    name = "change_loop_bound"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = [spot for spot in scene.tree.of(cst.For) if isinstance(spot.node, cst.For) and is_range(spot.node)]
        stops = [stop for loop in loops for stop in self._stops(loop)]
        if not stops:
            return None
        stop = scene.pick(stops)
        if isinstance(stop.node, cst.Integer) and scene.chance(0.7):
            passes = int(stop.node.evaluated_value) * float(2.0 ** scene.rng.uniform(-2, 2))
            return scene.edit(stop, str(max(1, round(passes))))
        assert isinstance(stop.node, cst.BaseExpression)
        return scene.edit(stop, scene.pick(_BOUNDS).format(n=atom(stop.node)))

    @staticmethod
    def _stops(loop: Spot) -> list[Spot]:
        call = next(child for child in loop.children if child.field == "iter")
        arguments = [child for child in call.children if isinstance(child.node, cst.Arg)]
        chosen = arguments[0] if len(arguments) == 1 else arguments[1]
        return [child for child in chosen.children if child.field == "value"]


class Reverse:
    """The loop runs backwards."""

    name = "reverse_loop"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = [spot for spot in scene.tree.of(cst.For) if isinstance(spot.node, cst.For) and is_range(spot.node)]
        used = [loop for loop in loops if self._counts(loop)]
        if not used:
            return None
        call = next(child for child in scene.pick(used).children if child.field == "iter")
        assert isinstance(call.node, cst.BaseExpression)
        return scene.edit(call, f"reversed({atom(call.node)})")

    @staticmethod
    def _counts(loop: Spot) -> bool:
        assert isinstance(loop.node, cst.For)
        return names_in(loop.node.target) <= names_in(loop.node.body)


class Interval:
    """How often a check or an update runs: the literal of ``i % 20``."""

    name = "change_interval"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.tree.of(cst.BinaryOperation) if self._literal(spot)]
        if not spots:
            return None
        literal = self._literal(scene.pick(spots))
        assert literal is not None
        return scene.edit(literal, str(scene.pick(INTERVALS)))

    @staticmethod
    def _literal(spot: Spot) -> Spot | None:
        node = spot.node
        modulo = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo)
        right = next(child for child in spot.children if child.field == "right")
        return right if modulo and isinstance(right.node, cst.Integer) else None


class EarlyExit:
    """The loop ends when what it improves hardly changes any more."""

    name = "insert_early_exit"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = [(loop, pair) for loop in scene.tree.of(cst.For, cst.While) for pair in carried(scene, loop)]
        if not loops or scene.numpy is None:
            return None
        loop, (_, name, _) = scene.pick(loops)
        body, previous = body_of(loop), scene.fresh(f"{name}_before")
        np, tolerance = scene.numpy, scene.pick(("1e-3", "1e-4", "1e-6", "1e-8", "1e-10"))
        relative = scene.pick(("", f" * {np}.max({np}.abs({name}))"))
        keep = statement(f"{previous} = {np}.copy({name})")
        stop = statement(f"if {np}.max({np}.abs({name} - {previous})) <= {tolerance}{relative}:\n    break")
        return scene.tree.edited({}, before={body[0]: [keep]}, after={body[-1]: [stop]})


class Rarely:
    """A statement of a counted loop runs only every few passes."""

    name = "run_rarely"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in changeable(scene.tree) if spot.loop is not None and scene.clock(spot)]
        if not spots:
            return None
        spot = scene.pick(spots)
        every = scene.pick(INTERVALS)
        guard = statement(f"if {scene.clock(spot)} % {every} == {scene.pick((0, every - 1))}:\n    pass")
        assert isinstance(guard, cst.If)
        body = guard.body.with_changes(body=[bare(spot)])
        return scene.tree.edited({spot: [guard.with_changes(body=body)]})


class Unconditional:
    """What a condition guards is always done, or never."""

    name = "drop_condition"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.tree.statements if isinstance(spot.node, cst.If) and spot.function is not None]
        if not spots:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.If)
        branches = [spot.node.body, *([spot.node.orelse.body] if isinstance(spot.node.orelse, cst.Else) else [])]
        branch = scene.pick(branches)
        return scene.tree.edited({spot: list(branch.body)}) if isinstance(branch, cst.IndentedBlock) else None


class Threshold:
    """``while`` conditions and ``if`` tests: a number compared is scaled."""

    name = "scale_threshold"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [
            child
            for spot in scene.tree.of(cst.ComparisonTarget)
            for child in spot.children
            if child.field == "comparator" and scene.kind(child).base in (Base.NUMBER, Base.INT)
        ]
        if not spots:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.BaseExpression)
        return scene.edit(spot, f"{scene.pick(('0.1', '0.5', '0.9', '1.1', '2.0', '10.0'))} * {atom(spot.node)}")


CONTROL = (
    LoopBound(),
    LoopBound(),
    Reverse(),
    Interval(),
    Interval(),
    EarlyExit(),
    Rarely(),
    Unconditional(),
    Threshold(),
)
