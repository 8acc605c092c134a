def step(state, message, parties):
    return state + 0.999 * (message / parties - state)
