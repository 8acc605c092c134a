"""The default configuration of the agent, untuned."""

# EVOLVE-BLOCK-START
ALPHA = 0.1
GAMMA = 0.99
EPS_START = 1.0
EPS_END = 0.05
FIRST_Q = 0.0
REPLAY = 0
WEIGHTS = 6


def tune(oracle, space, default, budget, seeds):
    return {
        "alpha": ALPHA,
        "gamma": GAMMA,
        "eps_start": EPS_START,
        "eps_end": EPS_END,
        "first_q": FIRST_Q,
        "replay": REPLAY,
        "weights": WEIGHTS,
    }


# EVOLVE-BLOCK-END
