"""A constant of a loop becomes a schedule over its steps."""

from __future__ import annotations

import libcst as cst

from .kinds import SCALARS
from .scene import Scene
from .tree import Spot, atom

_COUNTED = (
    "{c} / ({t} + 1)",
    "{c} / {np}.sqrt({t} + 1)",
    "{c} * {n} / ({t} + {n})",
    "{c} * ({t} + 1) ** -{p}",
    "{c} * {d} ** {t}",
    "{c} * min(1.0, ({t} + 1) / {n})",
)
_BOUNDED = (
    "{c} * (1.0 - {t} / {T})",
    "{c} * 0.5 * (1.0 + {np}.cos({np}.pi * {t} / {T}))",
    "{c} * (1.0 + {t} / {T})",
    "{c} * (1.0 - ({t} / {T}) ** 2)",
)


class Schedule:
    """``c`` becomes a decreasing (or warming) function of the loop's counter."""

    name = "schedule_constant"

    def apply(self, scene: Scene) -> cst.Module | None:
        spots = [spot for spot in scene.arithmetic if self._is_constant(scene, spot) and scene.clock(spot)]
        if not spots or scene.numpy is None:
            return None
        spot = scene.pick(spots)
        assert isinstance(spot.node, cst.BaseExpression)
        total = scene.horizon(spot)
        words = {
            "c": atom(spot.node),
            "t": scene.clock(spot),
            "T": total,
            "np": scene.numpy,
            "n": scene.pick(("2", "5", "10", "20", "50", "100")),
            "p": scene.pick(("0.25", "0.33", "0.5", "0.75", "1.0")),
            "d": scene.pick(("0.9", "0.95", "0.98", "0.99", "0.995", "0.999")),
        }
        return scene.edit(spot, scene.pick(_COUNTED + (_BOUNDED if total else ())).format(**words))

    @staticmethod
    def _is_constant(scene: Scene, spot: Spot) -> bool:
        if isinstance(spot.node, (cst.Float, cst.Integer)):
            return True
        if not isinstance(spot.node, cst.Name):
            return False
        own = scene.module_names.get(spot.node.value)
        return own is not None and own.base in SCALARS


class NameCounter:
    """``for _ in range(n)`` gets a counter that later schedules can use; alone it would change nothing, so the
    loop's last constant factor is scheduled with it."""

    name = "schedule_uncounted"

    def apply(self, scene: Scene) -> cst.Module | None:
        loops = [
            spot for spot in scene.tree.of(cst.For) if isinstance(spot.node, cst.For) and self._uncounted(spot.node)
        ]
        if not loops or scene.numpy is None:
            return None
        loop = scene.pick(loops)
        inside = [s for s in scene.arithmetic if s.loop is loop and Schedule._is_constant(scene, s)]
        if not inside:
            return None
        spot, clock = scene.pick(inside), scene.fresh("t")
        assert isinstance(spot.node, cst.BaseExpression)
        target = next(child for child in loop.children if child.field == "target")
        words = {"c": atom(spot.node), "t": clock, "np": scene.numpy, "n": "10", "p": "0.5", "d": "0.99"}
        schedule = scene.fitted(spot, scene.pick(_COUNTED).format(**words))
        return scene.tree.edited({spot: schedule, target: cst.Name(clock)})

    @staticmethod
    def _uncounted(node: cst.For) -> bool:
        return isinstance(node.target, cst.Name) and node.target.value == "_"


SCHEDULES = (Schedule(), Schedule(), NameCounter())
