"""Bottom up (Dreveton, Kuroda, Grossglauser and Thiran 2023): the leaves by spectral clustering, then average linkage.

Leaves: eigenvectors of the 2^depth smallest eigenvalues of the Bethe Hessian H = (r^2 - 1) I + D - r A with
r^2 = sum d^2 / sum d - 1, rows normalised, k-means. Linkage: the two communities with most edges a pair of nodes are
merged; the similarity of the union to another one is the mean weighted by sizes.
"""

import numpy as np

RESTARTS = 10
ROUNDS = 30


def tree(A, depth, seed):
    A = A.astype(float)
    leaves = k_means(embedding(A, 2**depth), 2**depth, np.random.default_rng(seed))
    leaves = np.unique(leaves, return_inverse=True)[1]
    labels = np.zeros((len(A), depth), dtype=int)
    labels[:, depth - 1] = leaves
    merged = linkage(A, leaves, [2**level for level in range(1, depth)])
    for level in range(1, depth):
        labels[:, level - 1] = merged[2**level][leaves]
    return labels


def embedding(A, count):
    degrees = A.sum(axis=1)
    r = np.sqrt((degrees**2).sum() / degrees.sum() - 1)
    H = np.diag(r * r - 1 + degrees) - r * A
    vectors = np.linalg.eigh(H)[1][:, :count]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def k_means(points, count, rng):
    best, least = np.zeros(len(points), dtype=int), np.inf
    for _ in range(RESTARTS):
        centres = spread_out(points, count, rng)
        for _ in range(ROUNDS):
            label = distances(points, centres).argmin(axis=1)
            sums = np.zeros_like(centres)
            np.add.at(sums, label, points)
            sizes = np.bincount(label, minlength=count)
            centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        cost = distances(points, centres).min(axis=1).sum()
        if cost < least:
            best, least = distances(points, centres).argmin(axis=1), cost
    return best


def spread_out(points, count, rng):
    """Starting centres drawn with probability in proportion to the squared distance from those drawn before."""
    centres = [points[rng.integers(len(points))]]
    for _ in range(count - 1):
        far = np.maximum(distances(points, np.array(centres)).min(axis=1), 1e-12)
        centres.append(points[rng.choice(len(points), p=far / far.sum())])
    return np.array(centres)


def distances(points, centres):
    return (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)


def linkage(A, leaves, wanted):
    """For each wanted number of communities, the community of each leaf."""
    count = leaves.max() + 1
    members = np.eye(count)[leaves]
    sizes = members.sum(axis=0)
    pairs = np.outer(sizes, sizes)
    similarity = members.T @ A @ members / pairs
    np.fill_diagonal(similarity, -np.inf)
    community, alive, found = np.arange(count), list(range(count)), {}
    while alive:
        if len(alive) in wanted:
            found[len(alive)] = np.searchsorted(alive, community)
        if len(alive) == 1:
            break
        a, b = divmod(int(similarity[np.ix_(alive, alive)].argmax()), len(alive))
        a, b = sorted((alive[a], alive[b]))
        union = (sizes[a] * similarity[a] + sizes[b] * similarity[b]) / (sizes[a] + sizes[b])
        similarity[a], similarity[:, a] = union, union
        similarity[a, a] = -np.inf
        sizes[a] += sizes[b]
        community[community == b] = a
        alive.remove(b)
    return {number: found.get(number, np.arange(count)) for number in wanted}
