"""Routing traces of a sparse mixture of experts: affinities of tokens to experts, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def affinities(seed: int, batches: int, tokens: int, experts: int, spread: float) -> Array:
    """sigmoid(V z + mu + noise) with token features z in eight dimensions: float32 (batches, tokens, experts).

    ``spread`` is the standard deviation of mu, how unlike in popularity the experts are.
    """
    rng = np.random.default_rng(seed)
    popularity = rng.normal(0.0, spread, experts).astype(np.float32)
    directions = 0.7 * rng.standard_normal((8, experts), dtype=np.float32)
    scores = 0.7 * rng.standard_normal((batches, tokens, experts), dtype=np.float32)
    scores += rng.standard_normal((batches, tokens, 8), dtype=np.float32) @ directions + popularity
    return 1 / (1 + np.exp(-scores))


def dual_and_load(affinity: Array, p: Array, k: int) -> tuple[float, Array]:
    """Dual of balanced top-k routing, and the load (experts,) of top-k routing by affinity + p.

    Of one batch (tokens, experts): f(p) = [sum over tokens of the k largest of affinity + p - L sum p] / tokens, with
    L = tokens k / experts; its subgradient is (load - L) / tokens.
    """
    tokens, experts = affinity.shape
    biased = affinity + p.astype(np.float32)
    chosen = np.argpartition(biased, experts - k, axis=1)[:, experts - k :]
    load = np.bincount(chosen.ravel(), minlength=experts)
    kept = np.take_along_axis(biased, chosen, axis=1).sum(dtype=np.float64)
    return float(kept / tokens - k / experts * p.sum()), load


def best_fixed_bias(trace: Array, k: int) -> tuple[Array, float]:
    """The bias that minimises the mean dual over all batches, and that minimum, to about 1e-7.

    The function is convex and, over so many tokens, nearly smooth: L-BFGS on subgradients, first on every eighth batch.
    """
    from scipy.optimize import minimize

    def mean_dual(p: Array, stride: int) -> tuple[float, Array]:
        tokens = trace[::stride].reshape(-1, trace.shape[2])
        value, load = dual_and_load(tokens, p, k)
        return value, load / len(tokens) - k / trace.shape[2]

    p, value = np.zeros(trace.shape[2]), np.inf
    for stride, evaluations in ((8, 60), (1, 25)):
        options = {"ftol": 1e-9, "maxfun": evaluations}
        found = minimize(mean_dual, p, args=(stride,), jac=True, method="L-BFGS-B", options=options)
        p, value = found.x, float(found.fun)
    return p - p.mean(), value


FULL_MS = {"a2a": (2.0, 5.0), "ag": (1.0, 4.0), "rs": (1.0, 4.0), "exp": (2.0, 6.0), "gar": (1.0, 5.0)}
STARTUP_MS = {"a2a": (0.1, 0.4), "ag": (0.05, 0.2), "rs": (0.05, 0.2), "exp": (0.03, 0.1), "gar": (0.1, 0.3)}
HEAVY = {"inter": ("a2a",), "intra": ("ag", "rs"), "compute": ("exp",)}


def training_step(rng: np.random.Generator, bound: str, count: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """One iteration of ``count`` layers: work of the operations, and {operation: (alpha, beta)} in ms and ms per unit.

    Work arrays are (count,): ``a2a``, ``ag``, ``rs``, ``exp``, ``grad`` in MB, and ``dense_ms``. ``bound`` names the
    resource with 1.6 times the usual work, the others have 0.8 times: ``inter``, ``intra`` or ``compute``.
    """
    costs = {op: (rng.uniform(*STARTUP_MS[op]), 10 ** rng.uniform(-2, -1)) for op in FULL_MS}
    size, layers = np.exp(rng.normal(0, 0.4, count)), {}
    for op, span in FULL_MS.items():
        scale = 1.0 if op == "gar" else 1.6 if op in HEAVY[bound] else 0.8
        layers["grad" if op == "gar" else op] = scale * size * rng.uniform(*span, count) / costs[op][1]
    layers["dense_ms"] = rng.uniform(1.0, 4.0, count)
    return layers, costs


def profiled(rng: np.random.Generator, costs: dict[str, Any], noise: float) -> dict[str, Array]:
    """Per operation eight rows [work, measured ms], the time with log-normal noise."""
    made = {}
    for op, (alpha, beta) in costs.items():
        work = np.geomspace(0.1, 8.0, 8) / beta
        made[op] = np.column_stack([work, (alpha + beta * work) * np.exp(noise * rng.standard_normal(8))])
    return made


def routed_tokens(rng: np.random.Generator, count: int, layers: int, experts: int) -> tuple[Array, Array]:
    """Embeddings (count, 16) of tokens of 8 to 16 topics, and the expert of each at each layer, int64 (count, layers).

    An expert is drawn with probability softmax(x M + b) at each layer, b its popularity.
    """
    width, topics = 16, int(rng.integers(8, 17))
    centres = 1.3 * rng.normal(size=(topics, width))
    share = rng.dirichlet(np.full(topics, 4.0))
    x = centres[rng.choice(topics, count, p=share)] + rng.normal(size=(count, width))
    routes = np.zeros((count, layers), dtype=np.int64)
    for layer in range(layers):
        logits = x @ rng.normal(size=(width, experts)) + 0.7 * rng.normal(size=experts)
        routes[:, layer] = (logits + rng.gumbel(size=(count, experts))).argmax(axis=1)
    return x, routes


def expert_layer(rng: np.random.Generator) -> dict[str, float]:
    """Constants of the time of one layer of experts on one cluster (see ``layer_ms``), most over a decade.

    Parameters are 6 to 630 times a token's traffic: the best r differs between clusters, and on most of them it changes
    while the capacity factor goes from 1 to 16.
    """
    token_mb = rng.uniform(1.0, 3.0)
    return {
        "token_mb": token_mb,
        "params_mb": token_mb * 10 ** rng.uniform(0.8, 2.8),
        "gather": 2.5,
        "param_ms": rng.uniform(0.4, 0.6),
        "startup_ms": 10 ** rng.uniform(-1.0, 0.5),
        "token_ms": rng.uniform(0.7, 1.3),
        "hierarchical_startup": rng.uniform(0.15, 0.35),
        "hierarchical_token": rng.uniform(1.1, 1.5),
        "expert_ms": 10 ** rng.uniform(-0.3, 0.8),
        "launch_ms": 10 ** rng.uniform(-1.3, 0.3),
        "contention": rng.uniform(1.02, 1.6),
    }


def layer_ms(layer: dict[str, float], capacity: Array, r: int, degree: int, hierarchical: int) -> Array:
    """Time of a layer at capacity factors of any shape, the same shape.

    r = 0 gathers all experts' parameters and moves no tokens; r >= 1 moves each token to r devices and a share 1 / r of
    the parameters. The exchange is cut into ``degree`` pieces that overlap with the experts' work; in its hierarchical
    form messages start sooner and last longer.
    """
    experts = layer["expert_ms"] * capacity
    if r == 0:
        return experts + layer["launch_ms"] + layer["gather"] * layer["param_ms"] * layer["params_mb"]
    startup = layer["startup_ms"] * (layer["hierarchical_startup"] if hierarchical else 1.0)
    per_mb = layer["token_ms"] * (layer["hierarchical_token"] if hierarchical else 1.0)
    exchange = 2 * (startup + per_mb * layer["token_mb"] * capacity * r / 2 / degree)
    piece = experts / degree * (layer["contention"] if degree > 1 else 1.0) + layer["launch_ms"]
    overlapped = exchange + piece + (degree - 1) * np.maximum(exchange, piece)
    return overlapped + layer["param_ms"] * layer["params_mb"] / r


def capacity_factors(rng: np.random.Generator, count: int, largest: float) -> Array:
    """A series (count,) of at least 1 that returns to a level, which jumps now and then to another one, log-uniform."""
    level = here = float(largest ** rng.random())
    series = np.empty(count)
    for i in range(count):
        if rng.random() < 0.02:
            level = float(largest ** rng.random())
        here = max(1.0, here + 0.15 * (level - here) + 0.08 * rng.standard_normal())
        series[i] = here
    return series


def expert_flows(rng: np.random.Generator, windows: int, layers: int, experts: int, tokens: float) -> Array:
    """Tokens that go from each expert to each expert of the next layer, (windows, layers - 1, experts, experts).

    Popularity is Gamma(0.6) and a log-normal random walk of 0.12 a window; who follows whom is log-normal of 1.5 and
    stays. All tokens of a layer leave it, so that column sums of one layer are row sums of the next.
    """
    popularity = np.log(rng.gamma(0.6, 1.0, (layers, experts)))
    affinity = 1.5 * rng.standard_normal((layers - 1, experts, experts))
    flows = np.empty((windows, layers - 1, experts, experts))
    for window in range(windows):
        popularity = popularity + 0.12 * rng.standard_normal(popularity.shape)
        load = tokens * _shares(popularity[0])
        for layer in range(layers - 1):
            flows[window, layer] = load[:, None] * _shares(affinity[layer] + popularity[layer + 1])
            load = flows[window, layer].sum(axis=0)
    return flows


def _shares(logits: Array) -> Array:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def loads(flows: Array) -> Array:
    """Tokens of every expert, (windows, layers, experts), of flows between layers."""
    return np.concatenate([flows.sum(axis=3), flows[:, -1:].sum(axis=2)], axis=1)
