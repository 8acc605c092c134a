"""The two-pass softmax (Dukhan and Ablavatski 2020, section 4 and Algorithm 3).

exp(x) is kept as a pair (m, e), standing for m 2^e, with e = rint(x log2 e) as a float: it cannot overflow, so that no
maximum is needed beforehand. Pass 1 sums such pairs: (M, E) + (m, e) = (M 2^(E-F) + m 2^(e-F), F) with F = max(E, e).
Pass 2 computes m / M 2^(e-E). Three transfers for each number instead of five.
"""

LOG2E_HIGH = 1.44269502162933349609375
LOG2E_LOW = 1.925963033500011e-08
PAIR = [
    ["load", "v", "x"],
    ["mul", "z", "v", LOG2E_HIGH],
    ["rint", "e", "z"],
    ["fms", "f", "v", LOG2E_HIGH, "e"],
    ["fma", "f", "v", LOG2E_LOW, "f"],
    ["exp2", "m", "f"],
]
ADD = [
    ["max", "F", "E", "e"],
    ["sub", "E", "E", "F"],
    ["sub", "e", "e", "F"],
    ["ldexp", "M", "M", "E"],
    ["ldexp", "m", "m", "e"],
    ["add", "M", "M", "m"],
    ["max", "E", "F", "F"],
]


def kernel(n, cache, bandwidth, speed):
    across = []
    for lanes in (8, 4, 2, 1):
        across += [["rotate", "m", "M", lanes], ["rotate", "e", "E", lanes], *ADD]
    summed = {
        "direction": 1,
        "init": {"M": 0.0, "E": -1e9},
        "body": PAIR + ADD,
        "reduce": [*across, ["div", "scale", 1.0, "M"]],
    }
    scaled = {
        "direction": 1,
        "init": {},
        "body": [
            *PAIR,
            ["sub", "e", "e", "E"],
            ["mul", "m", "m", "scale"],
            ["ldexp", "m", "m", "e"],
            ["store", "y", "m"],
        ],
        "reduce": [],
    }
    return [summed, scaled]
