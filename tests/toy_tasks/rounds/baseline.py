# EVOLVE-BLOCK-START
def step(state, message):
    return state + 0.5 * (message - state)


# EVOLVE-BLOCK-END
