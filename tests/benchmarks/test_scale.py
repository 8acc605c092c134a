"""The simulation of a large cluster: its arithmetic, and small runs of it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import numpy as np
import pytest

from speciate.archive import Journal, verify
from speciate.benchmarks.cluster import Cluster, Load
from speciate.benchmarks.scale import measure
from speciate.benchmarks.virtual import VirtualLoop


def test_evaluations_take_as_long_in_the_mean_as_the_demand_supposes() -> None:
    load = Load(workers=10, longest=100.0, straggling=0.02)

    async def drawn() -> list[float]:
        return [Cluster(load, seed)._seconds() for seed in range(4000)]

    taken = asyncio.run(drawn())
    assert min(taken) >= 1.0
    assert 100.0 < max(taken) <= 1000.0
    assert np.mean(taken) == pytest.approx(load.mean_seconds, rel=0.1)
    assert load.demand == pytest.approx(10 / load.mean_seconds)


def test_what_only_waits_takes_no_time() -> None:
    loop = VirtualLoop()

    async def wait() -> None:
        await asyncio.gather(*(asyncio.sleep(hours * 3600.0) for hours in (3, 1, 2)))

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(wait())
    assert loop.time() == pytest.approx(3 * 3600.0)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_simulated_run_keeps_its_workers_busy_and_its_journal_sound(ordered: bool, tmp_path: Path) -> None:
    """At the end of the budget too: its last evaluations do not wait for a proposal each."""
    load = Load(workers=20, longest=1.0, last_reply=2.0, straggling=0.0, ordered=ordered)
    found = measure(load, 400, tmp_path / "run")
    assert found.busy > 0.6
    assert found.cpu_ms > 0
    assert found.yards > 0.2
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        report = verify(journal)
    assert report.problems == ()
    assert report.evaluations == 400
