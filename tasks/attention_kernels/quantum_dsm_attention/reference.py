"""The doubly stochastic circuit (Born, Skogh, Rhrissorrakrai, Utro, Wagner and Sobczyk 2025), simulated.

The squared moduli of any unitary matrix are doubly stochastic. The circuit is a product of layers of rotations of four
pairs of coordinates, by angles that are a logit plus a parameter; it takes in all 64 logits once in each repetition. A
permutation of the layer's own chooses the pairs. Parameters stay as they were drawn, as in the paper's static variant.
"""

import numpy as np

REPETITIONS = 2
SCALE = 1.0
SEED = 0


def normalise(A):
    rng = np.random.default_rng(SEED)
    logits = A.reshape(len(A), 16, 4)
    U = np.broadcast_to(np.eye(8), A.shape)
    for _ in range(REPETITIONS):
        for layer in range(16):
            angles = SCALE * logits[:, layer] + rng.uniform(-np.pi, np.pi, 4)
            order = rng.permutation(8)
            cosine, sine = np.cos(angles)[:, :, None], np.sin(angles)[:, :, None]
            first, second = U[:, order[:4]], U[:, order[4:]]
            U = np.empty(A.shape)
            U[:, order[:4]] = cosine * first - sine * second
            U[:, order[4:]] = sine * first + cosine * second
    return U**2
