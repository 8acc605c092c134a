"""No predictor: tokens with close embeddings share a batch (balanced k-means), the cache keeps what was used last."""

import numpy as np

ROUNDS = 15


def plan(train_x, train_route, test_x, hw):
    size, count = hw["batch"], len(test_x) // hw["batch"]
    rng = np.random.default_rng(0)
    centres = test_x[rng.choice(len(test_x), count, replace=False)]
    for _ in range(ROUNDS):
        distances = ((test_x[:, None] - centres) ** 2).sum(axis=2)
        label = distances.argmin(axis=1)
        centres = np.array(
            [test_x[label == c].mean(axis=0) if (label == c).any() else centres[c] for c in range(count)]
        )
    distances = ((test_x[:, None] - centres) ** 2).sum(axis=2)
    batches, filled = np.zeros((count, size), dtype=int), np.zeros(count, dtype=int)
    for token in distances.min(axis=1).argsort():
        c = min(np.flatnonzero(filled < size), key=lambda c: distances[token, c])
        batches[c, filled[c]] = token
        filled[c] += 1
    return {"batches": batches, "prefetch": np.full((count, train_route.shape[1], hw["cache"]), -1)}
