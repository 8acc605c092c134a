"""Queries, keys and values for attention over pairs of keys, with bounded entries."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def tensor_attention_inputs(rng: np.random.Generator, kind: str, n: int, d: int, bound: float) -> dict[str, Array]:
    """Q, K1, K2 and V1, V2, each (n, d): ``spread`` over [-bound, bound], ``clustered`` keys, or ``few large`` ones.

    ``few large``: one entry in fifty of each of the first three keeps its size, the others have 0.7 of it.
    """
    Q, K1, K2 = (rng.uniform(-bound, bound, (n, d)) for _ in range(3))
    if kind == "clustered":
        centres = rng.uniform(-0.8 * bound, 0.8 * bound, (2, 8, d))
        K1, K2 = (
            np.clip(centre[rng.integers(0, 8, n)] + rng.normal(0, 0.1, (n, d)), -bound, bound) for centre in centres
        )
    elif kind == "few large":
        Q, K1, K2 = (matrix * np.where(rng.random((n, d)) < 0.02, 1.0, 0.7) for matrix in (Q, K1, K2))
    V1, V2 = (rng.normal(1.0, 1.0, (n, d)) for _ in range(2))
    return {"Q": Q, "K1": K1, "K2": K2, "V1": V1, "V2": V2}


def tensor_attention(Q: Array, K1: Array, K2: Array, V1: Array, V2: Array) -> Array:
    """The exact output (n, d) in O(n^3 d): sum_jk A_ijk V1_j V2_k / sum_jk A_ijk, A = exp(<Q_i, K1_j, K2_k> / d)."""
    n, d = Q.shape
    output = np.zeros((n, d))
    for i in range(n):
        weights = np.exp((K1 * (Q[i] / d)) @ K2.T)
        output[i] = np.einsum("jl,jl->l", V1, weights @ V2) / weights.sum()
    return output
