"""Search for the minimum of a bumpy function."""

# EVOLVE-BLOCK-START
import numpy as np


def search(iterations=200, bounds=(-5, 5)):
    """Random search for the smallest value."""
    best_x = np.random.uniform(bounds[0], bounds[1])
    best_value = evaluate_function(best_x)
    for i in range(iterations):
        x = best_x + np.random.normal(0.0, 0.05)
        value = evaluate_function(x)
        if value < best_value:
            best_x, best_value = x, value
    return best_x, best_value


# EVOLVE-BLOCK-END


def evaluate_function(x):
    return float(np.sin(3 * x) + 0.1 * x**2)


def run_search():
    """What the evaluator calls."""
    return search()
