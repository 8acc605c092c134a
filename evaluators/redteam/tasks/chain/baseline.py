# EVOLVE-BLOCK-START
def turn(n):
    return 0.5 * (1.0 + n)


# EVOLVE-BLOCK-END
