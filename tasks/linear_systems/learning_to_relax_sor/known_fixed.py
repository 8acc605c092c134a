"""One over-relaxation parameter for all systems and streams, the best of a grid in hindsight."""

OMEGA = 1.6


def tune(oracle, shift, systems, low, high, seed):
    for _ in range(systems):
        oracle.solve(OMEGA)
