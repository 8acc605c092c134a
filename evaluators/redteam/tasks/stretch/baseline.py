# EVOLVE-BLOCK-START
def solve(x):
    return 1.0 * x


# EVOLVE-BLOCK-END
