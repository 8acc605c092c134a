"""Static execution: expert parallelism without copies, no pipelining, the plain exchange, in every iteration."""

# EVOLVE-BLOCK-START
R = 1
DEGREE = 1
HIERARCHICAL = 0


def execute(oracle, spec, steps, first):
    factor = first
    tried = {}
    for _ in range(steps):
        strategy = (R, DEGREE, HIERARCHICAL)
        ms, following = oracle.step(*strategy)
        pace = ms / factor
        known = tried.get(strategy, pace)
        tried[strategy] = min(known, pace)
        factor = following


# EVOLVE-BLOCK-END
