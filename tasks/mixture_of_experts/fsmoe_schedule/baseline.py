"""Pipelined experts on one link (Tutel, PipeMoE): one degree for all layers, every gradient sent at the end."""

import numpy as np

# EVOLVE-BLOCK-START
DEGREES = (1, 2, 4, 8)


def schedule(profile, layers):
    costs = {op: np.polyfit(rows[:, 0], rows[:, 1], 1)[::-1] for op, rows in profile.items()}
    count = len(layers["grad"])
    best, degree = np.inf, 1
    for r in DEGREES:
        total = 0.0
        for i in range(count):
            total += layer_time(costs, layers, i, r, 1) + layer_time(costs, layers, i, r, 2)
        if total < best:
            best, degree = total, r
    forward = [plan(degree) for _ in range(count)]
    backward = [plan(degree) for _ in range(count)]
    return {"fwd": forward, "bwd": backward, "grad_dense": np.zeros(count)}


def layer_time(costs, layers, i, r, rounds):
    time = {op: costs[op][0] + costs[op][1] * layers[op][i] / r for op in ("a2a", "ag", "rs", "exp")}
    link = r * (time["a2a"] + time["ag"])
    expert = time["a2a"] + time["ag"]
    ends = []
    for _ in range(r):
        expert += rounds * time["exp"]
        ends.append(expert)
    for end in ends:
        link = max(link, end) + time["rs"] + time["a2a"]
    return link


def plan(r):
    inter = []
    for i in range(r):
        inter += [("D", i), ("AG", i)]
    for i in range(r):
        inter += [("RS", i), ("C", i)]
    comp = [("E", i) for i in range(r)]
    return {"chunks": np.full(r, 1 / r), "inter": inter, "intra": [], "comp": comp}


# EVOLVE-BLOCK-END
