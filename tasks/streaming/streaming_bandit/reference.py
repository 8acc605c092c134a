"""An epsilon-best arm with one stored king (Wang 2023, Tight Regret Bounds, after Assadi and Wang's single-arm memory).

With eps = (K / T)^(1/3), the king's mean is known from C / eps^2 pulls. A newcomer challenges it in levels of doubling
size and is sent away at the first level where its mean plus a confidence radius lies below the king's; one that
survives all C / eps^2 pulls with a larger mean is the new king. The rest of the trials goes to the last king.
"""

import math

C = 1.0
FIRST_LEVEL = 8
RISK = 0.25


def play(oracle, K, T, seed):
    full = max(int(C * (T / K) ** (2 / 3)), FIRST_LEVEL)
    king_mean = oracle.pull(full) / full
    oracle.next(True)
    for _ in range(K - 1):
        pulls, mean = challenge(oracle, king_mean, full)
        crowned = pulls == full and mean > king_mean
        if crowned:
            king_mean = mean
        oracle.next(crowned)


def challenge(oracle, king_mean, full):
    """Pulls of the newcomer until it is rejected or has had them all, and its mean."""
    pulls, successes, level = 0, 0, FIRST_LEVEL
    while True:
        level = min(level, full - pulls)
        successes += oracle.pull(level)
        pulls += level
        mean = successes / pulls
        radius = math.sqrt(math.log(1 / RISK) / (2 * pulls))
        if pulls == full or mean + radius < king_mean:
            return pulls, mean
        level = pulls
