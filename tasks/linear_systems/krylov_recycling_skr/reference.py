"""SKR: sorted systems, solved by GCRO-DR with recycling (Wang et al. 2024; Parks et al. 2006, appendix).

Systems are visited along a greedy nearest-neighbour chain of their parameters. From one to the next goes a subspace U
of dimension K; for the new matrix A, A U = C R by QR and U <- U R^-1. Each cycle runs Arnoldi with (I - C C') A from
the residual, minimises it over U and the Krylov space, and takes as new U the harmonic Ritz vectors of smallest
magnitude of [U V]: with A [U V] = [C V+] G they solve G' G z = theta G' [C V+]' [U V] z.
"""

import numpy as np

CYCLE = 30
K = 10
SAFETY = 0.9


def solve_family(oracle, params, B, tolerance):
    solutions = np.zeros_like(B)
    U = np.zeros((0, B.shape[1]))
    for i in chain(params):
        solutions[i], U = gcro_dr(lambda v, i=i: oracle.apply(i, v), B[i], U, tolerance * np.linalg.norm(B[i]))
    return solutions


def chain(params):
    order, left = [0], set(range(1, len(params)))
    while left:
        order.append(min(left, key=lambda i: np.linalg.norm(params[i] - params[order[-1]])))
        left.remove(order[-1])
    return order


def gcro_dr(apply, b, U, target):
    """The solution and the subspace to recycle; vectors are rows."""
    x, r, C = np.zeros_like(b), b, np.zeros_like(U)
    if len(U):
        C, U = orthonormal(np.array([apply(u) for u in U]), U)
        x, r = (C @ r) @ U, r - (C @ r) @ C
    while np.linalg.norm(r) > target:
        V, H, E = arnoldi(apply, r, C, CYCLE - len(U), SAFETY * target)
        y, residual = least_squares(H, np.linalg.norm(r))
        x = x + y @ V[:-1] - (E @ y) @ U
        r = residual @ V
        if len(U) + len(y) > K:
            G = np.block([[np.eye(len(U)), E], [np.zeros((len(H), len(U))), H]])
            C, U = harmonic_ritz(G, np.vstack([U, V[:-1]]), np.vstack([C, V]))
    return x, U


def arnoldi(apply, r, C, most, enough):
    """A V[:-1]' = C' E + V' H, until most steps are done or the residual can fall to what is enough."""
    V, H, E = np.zeros((most + 1, len(r))), np.zeros((most + 1, most)), np.zeros((len(C), most))
    V[0] = r / np.linalg.norm(r)
    residual, steps = r, 0
    while steps < most and np.linalg.norm(residual) > enough:
        w = apply(V[steps])
        for _ in range(2):
            along, h = C @ w, V[: steps + 1] @ w
            w = w - along @ C - h @ V[: steps + 1]
            E[:, steps] += along
            H[: steps + 1, steps] += h
        steps += 1
        H[steps, steps - 1] = np.linalg.norm(w)
        V[steps] = w / np.linalg.norm(w)
        residual = least_squares(H[: steps + 1, :steps], np.linalg.norm(r))[1]
    return V[: steps + 1], H[: steps + 1, :steps], E[:, :steps]


def least_squares(H, beta):
    """The y that minimises |beta e_1 - H y|, and that residual."""
    e = np.zeros(len(H))
    e[0] = beta
    y = np.linalg.lstsq(H, e, rcond=None)[0]
    return y, e - H @ y


def harmonic_ritz(G, inner, outer):
    """The K harmonic Ritz vectors of smallest magnitude of A in the span of ``inner``, and A times them."""
    inverse, vectors = np.linalg.eig(np.linalg.solve(G.T @ G, G.T @ (outer @ inner.T)))
    chosen = []
    for at in np.argsort(-np.abs(inverse)):
        turn = np.imag(inverse[at])
        if turn >= 0:
            chosen.append(np.real(vectors[:, at]))
        if turn > 0:
            chosen.append(np.imag(vectors[:, at]))
    P = np.array(chosen[:K])
    return orthonormal(P @ G.T @ outer, P @ inner)


def orthonormal(images, U):
    """Orthonormal C and the U that A maps to it, from images = A U (rows)."""
    Q, R = np.linalg.qr(images.T)
    return Q.T, np.linalg.solve(R.T, U)
