"""Self-attention amortised v-DSW (Nguyen, Nguyen and Ho 2023, sections 3 and 4).

The location of a pair is f / |f| with f(X, Y) = g(enc X) + g(enc Y): symmetric in the clouds and in their points. The
encoder is self-attention at linear cost (Katharopoulos et al. 2020), averaged over the points,

enc(X) = mean_i [ phi(Q x_i) (sum_j phi(K x_j) (V x_j)') / (phi(Q x_i) . sum_j phi(K x_j)) ],  phi = elu + 1,

and g is a perceptron. All weights ascend the mean distance along directions drawn around the location, by Adam.
"""

import numpy as np

HEADS = 16
HIDDEN = 32
STEPS = 300
BATCH = 48
DIRECTIONS = 4
RATE = 2e-2


def fit(train_X, train_Y, kappa, seed):
    rng = np.random.default_rng(seed)
    d = train_X.shape[2]
    sizes = {"Q": (d, HEADS), "K": (d, HEADS), "V": (d, HEADS), "A": (HEADS, HIDDEN), "B": (HIDDEN, d)}
    weights = {name: rng.normal(0, size[0] ** -0.5, size) for name, size in sizes.items()}
    weights |= {name + "0": np.zeros(size[1]) for name, size in sizes.items()}
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    for step in range(1, STEPS + 1):
        rows = rng.integers(0, len(train_X), BATCH)
        X, Y = train_X[rows], train_Y[rows]
        (f_x, back_x), (f_y, back_y) = forward(weights, X), forward(weights, Y)
        slope = location_gradient(X, Y, f_x + f_y, kappa, rng)
        from_x, from_y = back_x(slope), back_y(slope)
        for name, value in weights.items():
            gradient = from_x[name] + from_y[name]
            first[name] += 0.1 * (gradient - first[name])
            second[name] += 0.01 * (gradient**2 - second[name])
            unbiased = first[name] / (1 - 0.9**step)
            weights[name] = value + RATE * unbiased / (np.sqrt(second[name] / (1 - 0.99**step)) + 1e-8)
    return weights


def predict(model, X, Y):
    return forward(model, X)[0] + forward(model, Y)[0]


def forward(w, X):
    """g(enc X), shape (pairs, d), and the function that takes a gradient in it to those in the weights."""
    q, k, v = (X @ w[name] + w[name + "0"] for name in "QKV")
    phi_q, phi_k = elu_plus_one(q), elu_plus_one(k)
    memory, total = phi_k.transpose(0, 2, 1) @ v, phi_k.sum(axis=1)
    mass = (phi_q @ total[:, :, None]) * X.shape[1]
    share = phi_q / mass
    code = (share.sum(axis=1)[:, None] @ memory)[:, 0]
    hidden = np.maximum(code @ w["A"] + w["A0"], 0)

    def backward(slope):
        d_hidden = (slope @ w["B"].T) * (hidden > 0)
        d_code = (d_hidden @ w["A"].T)[:, None]
        d_share = d_code @ memory.transpose(0, 2, 1)
        d_memory = share.sum(axis=1)[:, :, None] * d_code
        d_mass = -(d_share * share).sum(axis=2, keepdims=True) / mass * X.shape[1]
        d_q = (d_share / mass + d_mass * total[:, None]) * np.minimum(phi_q, 1)
        d_total = (d_mass * phi_q).sum(axis=1)[:, None]
        d_k = (v @ d_memory.transpose(0, 2, 1) + d_total) * np.minimum(phi_k, 1)
        d_v = phi_k @ d_memory
        found = {"A": code.T @ d_hidden, "A0": d_hidden.sum(0), "B": hidden.T @ slope, "B0": slope.sum(0)}
        for name, d_out in (("Q", d_q), ("K", d_k), ("V", d_v)):
            found[name] = np.tensordot(X, d_out, axes=((0, 1), (0, 1)))
            found[name + "0"] = d_out.sum(axis=(0, 1))
        return found

    return hidden @ w["B"] + w["B0"], backward


def elu_plus_one(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def location_gradient(X, Y, f, kappa, rng):
    """Gradient in f of the mean squared W2 along directions around f / |f|; shape (pairs, d)."""
    length = np.linalg.norm(f, axis=1, keepdims=True)
    shifted = (f / length)[:, None] + rng.normal(0, kappa**-0.5, (len(f), DIRECTIONS, f.shape[1]))
    size = np.linalg.norm(shifted, axis=2, keepdims=True)
    theta = shifted / size
    x, y = X @ theta.transpose(0, 2, 1), Y @ theta.transpose(0, 2, 1)
    order_x, order_y = x.argsort(axis=1), y.argsort(axis=1)
    gap = np.take_along_axis(x, order_x, 1) - np.take_along_axis(y, order_y, 1)
    pull_x, pull_y = np.empty_like(x), np.empty_like(y)
    np.put_along_axis(pull_x, order_x, gap, 1)
    np.put_along_axis(pull_y, order_y, gap, 1)
    slope = pull_x.transpose(0, 2, 1) @ X - pull_y.transpose(0, 2, 1) @ Y
    slope = ((slope - (slope * theta).sum(2, keepdims=True) * theta) / size).mean(axis=1)
    slope -= (slope * f).sum(axis=1, keepdims=True) * f / length**2
    return slope * 2 / (X.shape[1] * len(X) * length)
