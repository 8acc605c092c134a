"""Gauss-Seidel: successive over-relaxation with the parameter 1 for every system."""

# EVOLVE-BLOCK-START
OMEGA = 1.0


def tune(oracle, shift, systems, low, high, seed):
    seen = []
    for _ in range(systems):
        omega = OMEGA
        iterations, following = oracle.solve(omega)
        seen.append((shift, omega, iterations))
        shift = following


# EVOLVE-BLOCK-END
