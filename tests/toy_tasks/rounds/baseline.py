# EVOLVE-BLOCK-START
def step(state, message, parties):
    return state + 0.5 * (message / parties - state)


# EVOLVE-BLOCK-END
