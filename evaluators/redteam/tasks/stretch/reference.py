def solve(x):
    return 2.5 * x
