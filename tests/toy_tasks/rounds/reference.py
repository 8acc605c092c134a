def step(state, message):
    return state + 0.999 * (message - state)
