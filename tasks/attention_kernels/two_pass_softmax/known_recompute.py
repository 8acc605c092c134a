"""Softmax in three passes that never reads y: exponentials are computed twice instead of being stored."""

LOG2E_HIGH = 1.44269502162933349609375
LOG2E_LOW = 1.925963033500011e-08


def exponential(target, source):
    return [
        ["mul", "z", source, LOG2E_HIGH],
        ["rint", "e", "z"],
        ["fms", "f", source, LOG2E_HIGH, "e"],
        ["fma", "f", source, LOG2E_LOW, "f"],
        ["exp2", target, "f"],
        ["ldexp", target, target, "e"],
    ]


def across_lanes(operation, register):
    steps = []
    for lanes in (8, 4, 2, 1):
        steps += [["rotate", "other", register, lanes], [operation, register, register, "other"]]
    return steps


def kernel(n, cache, bandwidth, speed):
    largest = {
        "direction": 1,
        "init": {"largest": -1e30},
        "body": [["load", "v", "x"], ["max", "largest", "largest", "v"]],
        "reduce": across_lanes("max", "largest"),
    }
    shifted = [["load", "v", "x"], ["sub", "v", "v", "largest"], *exponential("p", "v")]
    exponentials = {
        "direction": 1,
        "init": {"sum": 0.0},
        "body": [*shifted, ["add", "sum", "sum", "p"]],
        "reduce": [*across_lanes("add", "sum"), ["div", "scale", 1.0, "sum"]],
    }
    again = {
        "direction": 1,
        "init": {},
        "body": [*shifted, ["mul", "p", "p", "scale"], ["store", "y", "p"]],
        "reduce": [],
    }
    return [largest, exponentials, again]
