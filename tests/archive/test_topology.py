"""To whom the islands send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.archive.topology import TOPOLOGIES, TopologyName

names = st.sampled_from(sorted(TOPOLOGIES))


def edges(name: TopologyName, islands: int, seed: int = 0) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    topology = TOPOLOGIES[name]
    return [(source, target) for source in range(islands) for target in topology.targets(source, islands, rng)]


@given(name=names, islands=st.integers(1, 12), seed=st.integers(0, 99))
def test_targets_are_other_islands_and_repeat_with_the_seed(name: TopologyName, islands: int, seed: int) -> None:
    found = edges(name, islands, seed)
    assert all(0 <= target < islands and target != source for source, target in found)
    assert len(found) == len(set(found))
    assert found == edges(name, islands, seed)


@given(islands=st.integers(2, 12))
def test_every_island_sends_and_news_reaches_all(islands: int) -> None:
    for name in ("ring", "star", "full"):
        found = edges(name, islands)
        reached = {0}
        for _ in range(islands):
            reached |= {target for source, target in found if source in reached}
        assert reached == set(range(islands))
        assert {source for source, _ in found} == set(range(islands))


@pytest.mark.parametrize(("name", "count"), [("ring", 5), ("star", 8), ("full", 20), ("random", 5)])
def test_numbers_of_edges(name: TopologyName, count: int) -> None:
    assert len(edges(name, 5)) == count


def test_random_reaches_every_other_island_in_time() -> None:
    rng = np.random.default_rng(0)
    drawn = {target for _ in range(200) for target in TOPOLOGIES["random"].targets(2, 5, rng)}
    assert drawn == {0, 1, 3, 4}
