"""Tutel (Hwang et al. 2023, sections 3.2 and 3.3): adaptive parallelism, then adaptive pipelining by a dictionary.

The parallelism r minimises the traffic in closed form: the gathered parameters for r = 0, else tokens times capacity
factor times r and a share 1 / r of the parameters. Under the key (r, floor(factor / WIDTH)) a dictionary holds what
each pipelining strategy has taken per unit of capacity: untried ones are tried first, then the best one is used.
"""

WIDTH = 0.5


def execute(oracle, spec, steps, first):
    tried, factor = {}, first
    for _ in range(steps):
        r = min(spec["r_choices"], key=lambda r: traffic(spec, factor, r))
        bucket = tried.setdefault((r, int(factor / WIDTH)), {})
        untried = [pipelining for pipelining in pipelinings(spec, r) if pipelining not in bucket]
        pipelining = untried[0] if untried else min(bucket, key=lambda one: bucket[one])
        ms, following = oracle.step(r, *pipelining)
        bucket[pipelining] = min(bucket.get(pipelining, ms / factor), ms / factor)
        factor = following


def traffic(spec, factor, r):
    if r == 0:
        return spec["gather"] * spec["params_mb"]
    return spec["token_mb"] * factor * r + spec["params_mb"] / r


def pipelinings(spec, r):
    if r == 0:
        return [(1, 0)]
    return [(degree, hierarchical) for degree in spec["degree_choices"] for hierarchical in (0, 1)]
