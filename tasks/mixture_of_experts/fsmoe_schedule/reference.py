"""FSMoE (Pan et al. 2025, sections 4 and 5): both links at once, a degree for each layer and pass, cut gradients.

With r equal chunks, and a gradient slice of t_g ms on the inter-node link between dispatches and combines, a layer
takes the longest of four paths: 2r a2a + t_g (inter-node link full), 2r a2a + ag + rs (it waits for one chunk only),
2 a2a + ag + rs + r exp (experts) and 2 a2a + r (ag + rs) (intra-node link). The degree with the shortest time is taken;
the paper solves each case for real r, which trying the few degrees does exactly. Gradients first fill what dense layers
and the idle time of the inter-node link hide; differential evolution places the rest.
"""

import numpy as np
from scipy.optimize import differential_evolution

DEGREES = np.array([1, 2, 4, 8])
GENERATIONS = 25


def schedule(profile, layers):
    costs = {op: np.polyfit(rows[:, 0], rows[:, 1], 1)[::-1] for op, rows in profile.items()}
    count = len(layers["grad"])
    forward = [plan(degree(times(costs, layers, i, 1), 0.0), 0.0) for i in range(count)]
    experts = [times(costs, layers, i, 2) for i in range(count)]
    beside, slices = partition(costs["gar"], layers, experts)
    backward = [plan(degree(experts[i], gradient_ms(slices[i], costs["gar"])), slices[i]) for i in range(count)]
    return {"fwd": forward, "bwd": backward, "grad_dense": beside}


def times(costs, layers, i, rounds):
    """Milliseconds of one chunk of each operation, at each degree."""
    return {
        op: (rounds if op == "exp" else 1) * (costs[op][0] + costs[op][1] * layers[op][i] / DEGREES)
        for op in ("a2a", "ag", "rs", "exp")
    }


def layer_ms(t, gradient):
    """Shape (..., degrees) for gradient times (...)."""
    r, shared = DEGREES, t["ag"] + t["rs"]
    full = 2 * r * t["a2a"] + np.asarray(gradient)[..., None]
    others = [2 * r * t["a2a"] + shared, 2 * t["a2a"] + shared + r * t["exp"], 2 * t["a2a"] + r * shared]
    return np.maximum(full, np.maximum.reduce(others))


def degree(t, gradient):
    return int(DEGREES[layer_ms(t, gradient).argmin()])


def gradient_ms(megabytes, gar):
    return np.where(np.asarray(megabytes) > 0, gar[0] + gar[1] * np.asarray(megabytes), 0.0)


def partition(gar, layers, experts):
    """MB beside each dense layer, and on the inter-node link within each layer of experts."""
    count = len(experts)
    beside, slices, pending = np.zeros(count), np.zeros(count), 0.0
    for i in reversed(range(count)):
        beside[i] = min(pending, fitting(2 * layers["dense_ms"][i], gar))
        at = layer_ms(experts[i], 0.0)
        idle = at.min() - 2 * (DEGREES * experts[i]["a2a"])[at.argmin()]
        slices[i] = min(pending - beside[i], fitting(idle, gar))
        pending += layers["grad"][i] - beside[i] - slices[i]

    def placed(shares):
        """Slices (count, many) where each layer takes a share of what is pending beyond the slices above."""
        more = np.zeros(shares.shape)
        spare = pending_before(layers["grad"], beside + slices)
        taken = np.zeros(shares.shape[1])
        for i in reversed(range(count)):
            more[i] = shares[i] * np.maximum(spare[i] - taken, 0.0)
            taken = taken + more[i]
        return slices[:, None] + more

    def total(shares):
        sent = placed(shares)
        ends = gradient_ms(layers["grad"].sum() - beside.sum() - sent.sum(axis=0), gar)
        return ends + sum(layer_ms(experts[i], gradient_ms(sent[i], gar)).min(axis=1) for i in range(count))

    options = {"maxiter": GENERATIONS, "popsize": 5, "polish": False, "vectorized": True, "updating": "deferred"}
    found = differential_evolution(total, [(0.0, 1.0)] * count, x0=np.zeros(count), rng=0, **options)
    return beside, placed(found.x[:, None])[:, 0]


def pending_before(grad, sent):
    """What the slices leave over at every layer and at all later ones, so that none is sent before it exists."""
    left = np.cumsum((grad - sent)[::-1])[::-1]
    before = left - grad
    return np.minimum.accumulate(before)


def fitting(idle, gar):
    """MB that can be sent within so many ms."""
    return max((idle - gar[0]) / gar[1], 0.0)


def plan(r, megabytes):
    inter = [("D", i) for i in range(r)] + [("G", float(megabytes))] * int(megabytes > 0) + [("C", i) for i in range(r)]
    intra = [("AG", i) for i in range(r)] + [("RS", i) for i in range(r)]
    return {"chunks": np.full(r, 1 / r), "inter": inter, "intra": intra, "comp": [("E", i) for i in range(r)]}
