"""One-step attacks along the goal's gradient, the radius doubled after a success and halved after a failure."""


def maximise(oracle, x0, lo, hi, goal, budget):
    x, z, radius, spent = x0.copy(), oracle.output(x0), 0.25, 1
    while spent + 3 <= budget and radius > 1e-7:
        up = goal["linear"] - goal["curvature"] * z
        y = oracle.attack(x, up, radius, 1)
        reached = oracle.output(y)
        spent += 3
        if value(goal, reached) > value(goal, z) and goal["limited"] @ reached <= goal["limit"]:
            x, z, radius = y, reached, 2 * radius
        else:
            radius /= 2
    return x


def value(goal, z):
    return goal["linear"] @ z - 0.5 * goal["curvature"] @ z**2
