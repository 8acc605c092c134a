"""Memory between steps: momentum, averages, relaxation, warm starts and restarts, blends of two values."""

from __future__ import annotations

import libcst as cst

from .control import body_of, carried
from .kinds import Base
from .scene import Scene, assigned, names_in, statement
from .statements import bare
from .tree import Spot, atom, code_of

DECAYS = ("0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "0.99")
RELAXATIONS = ("0.3", "0.5", "0.7", "0.9", "1.1", "1.3", "1.5", "1.7", "1.9")


def _loops(scene: Scene) -> list[tuple[Spot, tuple[Spot, str, cst.BaseExpression]]]:
    return [(loop, pair) for loop in scene.tree.of(cst.For, cst.While) for pair in carried(scene, loop)]


def _step_of(name: str, value: cst.BaseExpression) -> tuple[str, str]:
    """Sign and text of what is added to ``name``: of ``x - a * g`` this is ``("-", "a * g")``."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, (cst.Add, cst.Subtract)):
        sign = "+" if isinstance(value.operator, cst.Add) else "-"
        if code_of(value.left) == name:
            return sign, atom(value.right)
        if sign == "+" and code_of(value.right) == name:
            return sign, atom(value.left)
    return "+", f"({code_of(value)} - {name})"


class Momentum:
    """What a step adds to ``x`` is smoothed: heavy ball (Polyak 1964), an average, or Nesterov's form."""

    name = "add_momentum"
    _forms = (
        ("{m} = {b} * {m} + {d}", "{x} = {x} {s} {m}"),
        ("{m} = {b} * {m} + (1 - {b}) * {d}", "{x} = {x} {s} {m}"),
        ("{m} = {b} * {m} + {d}", "{x} = {x} {s} ({d} + {b} * {m})"),
    )

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = _loops(scene)
        if not loops:
            return None
        loop, (spot, name, value) = scene.pick(loops)
        memory, decay = scene.fresh(f"{name}_momentum"), scene.pick(DECAYS)
        sign, step = _step_of(name, value)
        words = {"m": memory, "b": decay, "d": step, "s": sign, "x": name}
        lines = [statement(form.format(**words)) for form in scene.pick(self._forms)]
        return scene.tree.edited({spot: lines}, before={loop: [statement(f"{memory} = 0.0")]})


class Average:
    """The loop's result is the average of its iterates (Polyak and Juditsky 1992), or an exponential one."""

    name = "average_iterates"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = _loops(scene)
        if not loops:
            return None
        loop, (spot, name, _) = scene.pick(loops)
        mean, clock = scene.fresh(f"{name}_mean"), scene.clock(spot)
        rates = [f" / ({clock} + 1)", f" * 2.0 / ({clock} + 2)"] if clock else []
        rate = scene.pick([*rates, " * 0.1", " * 0.02"])
        tail = body_of(loop)[-1]
        update = statement(f"{mean} = {mean} + ({name} - {mean}){rate}")
        return scene.tree.edited(
            {},
            before={loop: [statement(f"{mean} = {name} + 0.0")]},
            after={tail: [update], loop: [statement(f"{name} = {mean}")]},
        )


class Relax:
    """``x = new`` becomes ``x = x + w * (new - x)``, or ``x * (new / x) ** w``: under- or over-relaxation.

    The second form relaxes the logarithm, as fits what is scaled by factors; it is tried where ``new`` is a product or
    a quotient.
    """

    name = "relax_update"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = _loops(scene)
        if not loops:
            return None
        _, (spot, name, value) = scene.pick(loops)
        weight = scene.pick(RELAXATIONS)
        if self._is_scaling(value) and scene.chance(0.5):
            return scene.tree.edited({spot: statement(f"{name} = {name} * ({atom(value)} / {name}) ** {weight}")})
        sign, step = _step_of(name, value)
        return scene.tree.edited({spot: statement(f"{name} = {name} {sign} {weight} * {step}")})

    @staticmethod
    def _is_scaling(value: cst.BaseExpression) -> bool:
        return isinstance(value, cst.BinaryOperation) and isinstance(value.operator, (cst.Multiply, cst.Divide))


class CarryOver:
    """An assignment at the top of a loop's body moves before the loop: inner work starts from the last result."""

    name = "carry_over"

    def apply(self, scene: Scene) -> cst.Module | None:
        found = []
        for loop in scene.tree.of(cst.For, cst.While):
            before = set(scene.visible(loop)) | set(scene.module_names)
            for spot in body_of(loop):
                pair = assigned(spot)
                if pair and len(body_of(loop)) > 1 and names_in(pair[1]) <= before:
                    found.append((loop, spot))
        if not found:
            return None
        loop, spot = scene.pick(found)
        return scene.tree.edited({spot: []}, before={loop: [bare(spot)]})


class Restart:
    """A variable that the loop updates is set back to its first value every so many steps."""

    name = "restart"

    def apply(self, scene: Scene) -> cst.Module | None:
        found = []
        for loop, (_, name, _) in _loops(scene):
            first = [s for s in scene.tree.statements if s.function is loop.function and s.order < loop.order]
            starts = [spot for spot in first if (assigned(spot) or ("",))[0] == name]
            clock = scene.clock(body_of(loop)[0])
            if starts and clock:
                found.append((loop, starts[-1], clock))
        if not found:
            return None
        loop, start, clock = scene.pick(found)
        tail, every = body_of(loop)[-1], scene.pick((5, 10, 20, 50, 100))
        reset = statement(f"if {clock} % {every} == {every - 1}:\n    {code_of(bare(start))}")
        return scene.tree.edited({}, after={tail: [reset]})


class Blend:
    """A value is mixed with another of its kind: ``c * x + (1 - c) * y``."""

    name = "blend_values"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.arithmetic if scene.kind(spot).base in (Base.ARRAY, Base.NUMBER)]
        if not spots:
            return None
        spot = scene.pick(spots)
        place, typing = scene.kind(spot), scene.analysis.of(spot)
        own = code_of(spot.node)
        names = [n for n, kind in scene.visible(spot).items() if n != own and typing.fits(kind, place, False)]
        if not names or not isinstance(spot.node, cst.BaseExpression):
            return None
        share = scene.pick(DECAYS)
        return scene.edit(spot, f"{share} * {atom(spot.node)} + (1 - {share}) * {scene.pick(names)}")


STATE = (Momentum(), Average(), Relax(), Relax(), Relax(), Relax(), CarryOver(), Restart(), Blend())
