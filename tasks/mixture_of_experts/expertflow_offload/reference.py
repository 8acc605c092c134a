"""ExpertFlow (He et al. 2024): predict the routing paths, batch tokens of like paths, fetch the predicted experts.

Paths: a multinomial logistic regression a layer, from the embedding (the paper: a small transformer). Token scheduling:
balanced k-means of the concatenated path probabilities, and batches in a chain of greatest overlap of their predicted
loads. Predictive caching: of every batch and layer the experts with the most predicted tokens. Misses are corrected on
demand.
"""

import numpy as np

STEPS = 150
RATE = 0.1
DECAY = 1e-3
ROUNDS = 15


def plan(train_x, train_route, test_x, hw):
    paths = predict(train_x, train_route, test_x, hw["experts"])
    batches = balanced_clusters(paths.reshape(len(paths), -1), hw["batch"])
    loads = np.array([paths[batch].sum(axis=0) for batch in batches])
    order = chain(loads.reshape(len(loads), -1))
    return {"batches": batches[order], "prefetch": wanted(loads[order], hw["cache"])}


def predict(x, routes, test_x, experts):
    """Probability of each expert for each test token and layer, (tokens, L, E)."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    features, tests = ((np.column_stack([(a - mean) / spread, np.ones(len(a))])) for a in (x, test_x))
    target = np.eye(experts)[routes]
    W = np.zeros((routes.shape[1], features.shape[1], experts))
    first, second = np.zeros_like(W), np.zeros_like(W)
    for step in range(1, STEPS + 1):
        error = softmax(np.einsum("nd,lde->nle", features, W, optimize=True)) - target
        gradient = np.einsum("nd,nle->lde", features, error, optimize=True) / len(x) + DECAY * W
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        W = W - RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return softmax(np.einsum("nd,lde->nle", tests, W, optimize=True))


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def balanced_clusters(points, size):
    """Tokens of each batch (count, size): nearest tokens first, to the nearest centre with room."""
    count = len(points) // size
    centres = points[np.random.default_rng(0).choice(len(points), count, replace=False)]
    for _ in range(ROUNDS):
        label = distances(points, centres).argmin(axis=1)
        for c in range(count):
            if (label == c).any():
                centres[c] = points[label == c].mean(axis=0)
    far = distances(points, centres)
    batches = [[] for _ in range(count)]
    for token in far.min(axis=1).argsort():
        c = next(c for c in far[token].argsort() if len(batches[c]) < size)
        batches[c].append(token)
    return np.array(batches)


def distances(points, centres):
    return (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)


def chain(loads):
    order, left = [0], set(range(1, len(loads)))
    while left:
        order.append(max(left, key=lambda b: np.minimum(loads[b], loads[order[-1]]).sum()))
        left.remove(order[-1])
    return order


def wanted(loads, cache):
    """The ``cache`` experts of greatest load, greatest first, (batches, L, cache)."""
    return np.argsort(-loads, axis=2)[:, :, :cache]
