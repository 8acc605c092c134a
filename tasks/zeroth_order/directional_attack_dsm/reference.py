"""Directional attacks with direct search, the hybrid method of the paper (Tahiri et al. 2024).

From the incumbent x with output z, the network is attacked along the gradient of the goal at z, and away from the
constraint while attacks end beyond it. A success doubles the attack's radius. After a failure the radius halves, and a
poll of direct search follows: columns and negative columns of a Householder matrix of the next point of a dense
sequence; the first improvement is taken, else the mesh halves.
"""

import numpy as np

RADIUS = 0.25
MESH = 0.25
ATTACK_COST = 3
MOST_POLLS = 8
SMALLEST = 1e-7


def maximise(oracle, x0, lo, hi, goal, budget):
    x, z, spent = x0.copy(), oracle.output(x0), 1
    radius, mesh, number, caution = RADIUS, MESH, 0, 0.0
    while spent + ATTACK_COST <= budget:
        y = oracle.attack(x, direction(goal, z, caution), radius, 1)
        reached = oracle.output(y)
        spent += ATTACK_COST
        if better(goal, reached, z):
            x, z, radius, caution = y, reached, 2 * radius, caution / 2
            continue
        if goal["limited"] @ reached > goal["limit"]:
            caution = min(2 * caution + 0.25, 4.0)
        radius = max(radius / 2, SMALLEST)
        number += 1
        for step in poll(number, len(x)):
            if spent >= budget:
                break
            y = np.clip(x + mesh * (hi - lo) * step, lo, hi)
            reached = oracle.output(y)
            spent += 1
            if better(goal, reached, z):
                x, z, mesh = y, reached, 2 * mesh
                break
        else:
            mesh = max(mesh / 2, SMALLEST)
    return x


def direction(goal, z, caution):
    """The goal's gradient, minus the constraint's with a weight that grows while attacks end beyond it."""
    up, limited = goal["linear"] - goal["curvature"] * z, goal["limited"]
    return up / np.linalg.norm(up) - caution * limited / np.linalg.norm(limited)


def better(goal, reached, z):
    return goal["limited"] @ reached <= goal["limit"] and value(goal, reached) > value(goal, z)


def value(goal, z):
    return goal["linear"] @ z - 0.5 * goal["curvature"] @ z**2


def poll(number, d):
    """Some of the positive spanning set of +- the columns of I - 2 v v', v of a pseudo-random dense sequence."""
    rng = np.random.default_rng(number)
    v = rng.standard_normal(d)
    v /= np.linalg.norm(v)
    for column in rng.permutation(d)[: MOST_POLLS // 2]:
        step = np.eye(d)[column] - 2 * v[column] * v
        yield step
        yield -step
