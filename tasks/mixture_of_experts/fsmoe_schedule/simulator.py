"""Three exclusive streams that each run their operations in a given order, as soon as what they wait for is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....evaluators import Rejected
from ....evaluators.checks import as_array, as_number

Array = np.ndarray[Any, Any]
Costs = Mapping[str, tuple[float, float]]
Op = tuple[str, int]
STREAMS = {"inter": ("D", "AG", "RS", "C", "G"), "intra": ("AG", "RS"), "comp": ("E",)}
COST_OF = {"D": "a2a", "AG": "ag", "E": "exp", "RS": "rs", "C": "a2a"}
BEFORE = {"AG": "D", "E": "AG", "RS": "E", "C": "RS"}
MOST_CHUNKS = 8
MOST_PIECES = 16
ROUNDING = 1e-9


class Pass:
    """One layer's checked plan: the streams' queues, the chunks' shares and the gradient pieces in MB."""

    def __init__(self, plan: Any, *, pieces_allowed: bool, name: str) -> None:
        """Raises: Rejected."""
        if not isinstance(plan, dict) or plan.keys() != {"chunks", *STREAMS}:
            raise Rejected(f"{name} must be a dict with the keys chunks, {', '.join(STREAMS)}")
        shares = as_array(plan["chunks"], shape=(None,), name=f"chunks of {name}", low=0.0)
        if not 1 <= len(shares) <= MOST_CHUNKS or not abs(float(shares.sum()) - 1) <= ROUNDING:
            raise Rejected(f"chunks of {name} must be 1 to {MOST_CHUNKS} shares that sum to 1")
        self.shares = shares / shares.sum()
        self.pieces: list[float] = []
        self.queues = {stream: self._queue(plan[stream], stream, name) for stream in STREAMS}
        if self.pieces and not pieces_allowed:
            raise Rejected(f"{name} sends a gradient, but there is none in the forward pass")
        once = sorted(op for queue in self.queues.values() for op in queue if op[0] != "G")
        if once != sorted((op, chunk) for op in COST_OF for chunk in range(len(shares))):
            raise Rejected(f"{name} must list D, AG, E, RS and C once for every chunk")

    def _queue(self, items: Any, stream: str, name: str) -> list[Op]:
        if not isinstance(items, list | tuple) or len(items) > len(COST_OF) * MOST_CHUNKS + MOST_PIECES:
            raise Rejected(f"{stream} of {name} must be a list of operations")
        queue = []
        for item in items:
            pair = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)
            if not pair or item[0] not in STREAMS[stream]:
                raise Rejected(f"{stream} of {name} takes pairs that begin with {', '.join(STREAMS[stream])}")
            if item[0] == "G":
                self.pieces.append(as_number(item[1], name=f"a gradient piece of {name}", low=0.0))
                queue.append(("G", len(self.pieces) - 1))
            else:
                chunk = as_array(item[1], shape=(), name=f"a chunk's number in {name}", integer=True)
                queue.append((item[0], int(chunk)))
        if len(self.pieces) > MOST_PIECES:
            raise Rejected(f"{name} sends more than {MOST_PIECES} gradient pieces")
        return queue

    def milliseconds(self, work: Mapping[str, float], costs: Costs, backward: bool) -> float:
        """From the first operation's start to the last one's end. Raises: Rejected where the orders are a deadlock."""

        def duration(op: Op) -> float:
            if op[0] == "G":
                return gradient_ms(self.pieces[op[1]], costs)
            alpha, beta = costs[COST_OF[op[0]]]
            once = alpha + beta * work[COST_OF[op[0]]] * self.shares[op[1]]
            return 2 * once if backward and op[0] == "E" else once

        done: dict[Op, float] = {}
        free, left = dict.fromkeys(STREAMS, 0.0), {stream: list(reversed(q)) for stream, q in self.queues.items()}
        while any(left.values()):
            ready = [(stream, q) for stream, q in left.items() if q and _waits_for(q[-1], done) is not None]
            if not ready:
                raise Rejected("the orders of the streams wait for each other")
            for stream, queue in ready:
                op = queue.pop()
                free[stream] = max(free[stream], _waits_for(op, done) or 0.0) + duration(op)
                done[op] = free[stream]
        return max(free.values())


def _waits_for(op: Op, done: Mapping[Op, float]) -> float | None:
    """When the operation before it ended; None where it has not."""
    return done.get((BEFORE[op[0]], op[1])) if op[0] in BEFORE else 0.0


def gradient_ms(megabytes: float, costs: Costs) -> float:
    return costs["gar"][0] + costs["gar"][1] * megabytes if megabytes > 0 else 0.0


def iteration_ms(
    forward: Sequence[Pass], backward: Sequence[Pass], beside_dense: Array, layers: Mapping[str, Array], costs: Costs
) -> tuple[float, float]:
    """Time of the whole iteration and the share of the gradient's bytes that was not sent at the end.

    Raises: Rejected for a deadlock, or a gradient that is sent before it exists.
    """
    work = [{op: float(layers[op][i]) for op in ("a2a", "ag", "rs", "exp")} for i in range(len(forward))]
    total = float(layers["dense_ms"].sum()) + sum(
        plan.milliseconds(w, costs, False) for plan, w in zip(forward, work, strict=True)
    )
    pending, whole = 0.0, float(layers["grad"].sum())
    for i in reversed(range(len(backward))):
        total += backward[i].milliseconds(work[i], costs, True)
        total += max(2 * float(layers["dense_ms"][i]), gradient_ms(float(beside_dense[i]), costs))
        pending -= sum(backward[i].pieces) + float(beside_dense[i])
        if not pending >= -ROUNDING * whole:
            raise Rejected(f"layer {i} sends gradients that do not exist yet")
        pending = max(pending, 0.0) + float(layers["grad"][i])
    return total + gradient_ms(pending, costs), 1 - pending / whole


def lower_bound_ms(layers: Mapping[str, Array], costs: Costs) -> float:
    """No schedule is shorter: every stream's work with one start-up each, layers one after another."""
    once = {op: costs[op][0] + costs[op][1] * layers[op] for op in ("a2a", "ag", "rs", "exp")}
    links = (2 * once["a2a"] + once["ag"] + once["rs"]) / 2
    passes = [np.maximum(2 * once["a2a"], np.maximum(links, rounds * once["exp"])) for rounds in (1, 2)]
    layered = float(sum(each.sum() for each in passes) + 3 * layers["dense_ms"].sum())
    return max(layered, float(4 * once["a2a"].sum() + gradient_ms(float(layers["grad"].sum()), costs)))
