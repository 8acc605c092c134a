"""Strategies for Levine's hats (Aravind and Abdellatif 2024, An analytical framework for the Levine hats problem).

Every player has an infinite stack of black and white hats, sees the stacks of the others, and names a place in his own;
all win if all name a black hat. For two players and fair hats 7/20 is the best known, by a strategy that looks at
blocks of three and turns to the next block in two cases.

Scaled down: block strategies with exact values; the continuous game and the bounds from above are left out.

Changed against the catalogue's sketch: three players see blocks of two or three, two players blocks of three to five;
p is drawn in hundredths. There is no clock, the CPU limit is the task's. Values of two players, and of three, are
compared in the same unit, the share of p, which no strategy can exceed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits

Array = np.ndarray[Any, Any]

STATEMENT = """
Find strategies for a game of hats that win as often as possible.

Each of `players` players has an infinite stack of hats, each black with probability `p`, independently. A player sees
the stacks of all others, not his own. All at once everybody names a place in his own stack; **they win together if all
these hats are black**. They may only agree on a strategy beforehand.

A strategy looks at blocks of `h` hats. `strategies(h, players, p)` returns a list of one integer array per player, of
length 2^(h (players - 1)): the place 0 ... h - 1 that he names within his block, or -1 to defer to the next block, of
whose hats he then knows nothing else. The index is what he sees: a block is the integer whose bit j says that hat j is
black; for two players it is the other's block, for three players block of the lower-numbered other x 2^h + block of the
higher-numbered other.

**Value.** If all defer, the game starts again with the next blocks. If some defer and others do not, each who defers
will name a hat that is black with probability p. So the probability of winning is sum of W x (product over the players
of: hat named is black, or p for who defers) over all cases where not all defer, divided by 1 - sum of W over the cases
where all defer, W being the probability of the blocks. It is computed exactly.

**Measured.** The mean of value / p over the instances, larger is better. There are two players with h = 3, 4, 5, and
three players with h = 2, 3; p is between 0.2 and 0.8. **Rules.** A strategy by which all always defer is invalid.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    plan = {
        "smoke": [(2, 3), (2, 2), (3, 2)],
        "default": [(2, 3), (2, 4), (2, 5), (3, 2), (3, 3)],
        "gpu": [(2, 6), (2, 7), (3, 3), (3, 4)],
    }[size]
    made = []
    for number, (players, h) in enumerate(plan * (1 if size == "smoke" else 4)):
        p = Fraction(int(rng.integers(20, 81)), 100)
        inputs = {"h": h, "players": players, "p": float(p)}
        made.append(Instance(f"{players} players, h = {h}, number {number}", inputs, p))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    h, players = instance.inputs["h"], instance.inputs["players"]
    if not isinstance(output, list | tuple) or len(output) != players:
        return Verdict.invalid(f"there must be a list of {players} tables")
    shape = (2 ** (h * (players - 1)),)
    tables = [as_array(table, shape=shape, name="a table", integer=True, low=-1, high=h - 1) for table in output]
    value = winning_probability(h, tables, instance.secret)
    if value is None:
        return Verdict.invalid("by these strategies all always defer")
    return Verdict(
        valid=True,
        metrics={
            "share": float(value / instance.secret),
            "deferring": float(np.mean([table < 0 for table in tables])),
            "alike": float(np.mean([table == tables[0] for table in tables[1:]])),
        },
    )


def winning_probability(h: int, tables: Sequence[Array], p: Fraction) -> Fraction | None:
    """Exact; None where all always defer. Table i is indexed by the blocks of the others, the last one fastest."""
    won, again = Fraction(0), Fraction(0)
    chances = [p**black * (1 - p) ** (h * len(tables) - black) for black in range(h * len(tables) + 1)]
    counted: dict[tuple[int, int], int] = {}
    for blocks, named in _cases(h, [table.tolist() for table in tables]):
        black = sum(block.bit_count() for block in blocks)
        deferring = named.count(-1)
        if deferring == len(tables):
            again += chances[black]
        elif all(place < 0 or (block >> place) & 1 for block, place in zip(blocks, named, strict=True)):
            counted[black, deferring] = counted.get((black, deferring), 0) + 1
    for (black, deferring), count in counted.items():
        won += count * chances[black] * p**deferring
    return None if again == 1 else won / (1 - again)


def _cases(h: int, tables: Sequence[list[int]]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Blocks of all players, and what each names."""
    for blocks in itertools.product(range(2**h), repeat=len(tables)):
        seen = (blocks[:player] + blocks[player + 1 :] for player in range(len(tables)))
        places = (sum(block << h * (len(others) - 1 - k) for k, block in enumerate(others)) for others in seen)
        yield blocks, tuple(table[place] for table, place in zip(tables, places, strict=True))


task = Task(
    id="levine_hats",
    family="discovery",
    title="Strategies for Levine's hats",
    paper=Paper(
        "An analytical framework for the Levine hats problem: new strategies, bounds and generalizations", 2024
    ),
    entry=Entry("def strategies(h: int, players: int, p: float) -> list"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("share", Direction.MAXIMIZE, "linear", unit="of p"),
    descriptors=(
        Descriptor("deferring", 0.0, 0.5, bins=8),
        Descriptor("alike", 0.0, 1.0, bins=6),
        Descriptor("code_size", 50, 800, bins=6, scale="log"),
    ),
    limits=TaskLimits(run=Limits(cpu_seconds=0.5, wall_seconds=10.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Optimal responses find recursive strategies that reach 7/20 for two players and fair hats, and better ones at "
        "other p; measured is the exact probability of winning as a share of p."
    ),
)
