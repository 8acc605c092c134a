"""One link and one degree a layer, gradients overlapped with dense layers only (as Lina, Li et al. 2023)."""

import numpy as np

DEGREES = (1, 2, 4, 8)


def schedule(profile, layers):
    costs = {op: np.polyfit(rows[:, 0], rows[:, 1], 1)[::-1] for op, rows in profile.items()}
    count = len(layers["grad"])
    passes = [
        [plan(min(DEGREES, key=lambda r: layer_time(costs, layers, i, r, rounds))) for i in range(count)]
        for rounds in (1, 2)
    ]
    beside, pending = np.zeros(count), 0.0
    for i in reversed(range(count)):
        beside[i] = min(pending, max((2 * layers["dense_ms"][i] - costs["gar"][0]) / costs["gar"][1], 0.0))
        pending += layers["grad"][i] - beside[i]
    return {"fwd": passes[0], "bwd": passes[1], "grad_dense": beside}


def layer_time(costs, layers, i, r, rounds):
    time = {op: costs[op][0] + costs[op][1] * layers[op][i] / r for op in ("a2a", "ag", "rs", "exp")}
    link, expert = r * (time["a2a"] + time["ag"]), time["a2a"] + time["ag"]
    for _ in range(r):
        expert += rounds * time["exp"]
        link = max(link, expert) + time["rs"] + time["a2a"]
    return link


def plan(r):
    inter = [op for i in range(r) for op in (("D", i), ("AG", i))]
    inter += [op for i in range(r) for op in (("RS", i), ("C", i))]
    return {"chunks": np.full(r, 1 / r), "inter": inter, "intra": [], "comp": [("E", i) for i in range(r)]}
