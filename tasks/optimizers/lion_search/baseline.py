"""SGD with heavy-ball momentum, the standard one-buffer optimizer, with warm-up, cosine decay and weight decay."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.5
MOMENTUM = 0.9
DECAY = 0.03
WARM_UP = 20


def update(w, g, state, step, total_steps, hints):
    rate = RATE * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1.0 + np.cos(np.pi * (step + 1) / total_steps))
    buffer = state[0]
    buffer = MOMENTUM * buffer + g
    direction = buffer
    w = w - rate * (direction + DECAY * w)
    return w.astype(np.float32), buffer[None, :].astype(np.float32)


# EVOLVE-BLOCK-END
