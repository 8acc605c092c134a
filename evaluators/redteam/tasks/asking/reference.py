def search(oracle):
    a, b, c = (oracle.value(x) for x in (0.0, 0.5, 1.0))
    return 0.25 * (3 * a - 4 * b + c) / (a - 2 * b + c)
