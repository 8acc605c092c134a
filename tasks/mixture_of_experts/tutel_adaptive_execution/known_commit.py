"""Explore then commit: every strategy twice in turn, from then on the one with the least total time."""


def execute(oracle, spec, steps, first):
    strategies = [
        (r, degree, hierarchical)
        for r in spec["r_choices"]
        for degree in spec["degree_choices"]
        for hierarchical in (0, 1)
        if r > 0 or (degree, hierarchical) == (1, 0)
    ]
    total = dict.fromkeys(strategies, 0.0)
    for n in range(steps):
        if n < 2 * len(strategies):
            strategy = strategies[n % len(strategies)]
            total[strategy] += oracle.step(*strategy)[0]
        else:
            oracle.step(*min(strategies, key=lambda one: total[one]))
