"""Runs on a real Ray cluster of two nodes, of which one is killed in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Evaluated, Event, Journal, RunState, verify
from speciate.discovery import Budget
from speciate.discovery.config import ConfigError, load_config
from speciate.discovery.executor import Setting
from speciate.discovery.executors import settle
from speciate.discovery.jobs import Smoke
from speciate.discovery.remote import RayExecutor, connect, room
from speciate.discovery.run import start
from speciate.evaluators import Calibration, Evaluation, State, TaskError, load_task
from speciate.sandbox import Backend, SandboxError

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'speciate[ray]'")

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"
STORE = 100 * 1024 * 1024
WORKERS = 2
EVALUATIONS = 16


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Of one node."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else its workers starve on a machine that does more
        cluster = Cluster(initialize_head=True, head_node_args=node)
        try:
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()


def imagined_calibration() -> Calibration:
    """For a gate that measures nothing."""
    return Calibration(
        size="default", purpose="search", sets=1, clocked=False, tier="full", baseline={}, reference={},
        baseline_metrics={}, reference_metrics={}, baseline_cpu={}, reference_gain=1.0, gains=(1.0,),
        baseline_value=1.0, reference_value=0.4,
    )  # fmt: skip


def events(directory: Path) -> list[Event]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        assert verify(journal).problems == ()
        return [event for _, _, event in journal.events()]


def found(directory: Path) -> list[tuple[str, Any]]:
    """What a run proposed, scored and kept, without what is measured."""
    told: list[tuple[str, Any]] = []
    for event in events(directory):
        if isinstance(event, Evaluated) and event.evaluation.state is not State.INFRA:
            told.append((event.kind, (event.index, event.evaluation.state, event.evaluation.score)))
        elif event.kind in ("proposed", "dropped", "added", "migrated", "certified"):
            told.append((event.kind, event.model_dump(exclude={"cpu_seconds", "evaluation"})))
    return told


def search(task: Path, directory: Path, *observers: Any, **values: Any) -> None:
    options: dict[str, Any] = {
        "budget__evaluations": EVALUATIONS,
        "workers": WORKERS,
        "seed": 3,
        "simplify": False,
        **values,
    }
    start(str(task), load_config(None, **options), directory, observers=observers)


def slowed(task: Path, folder: Path) -> Path:
    """A copy whose judge takes its time, so that a node that is killed is at work."""
    shutil.copytree(task, folder)
    text = (folder / "task.py").read_text().replace("    y = as_array", "    time.sleep(0.1)\n    y = as_array")
    (folder / "task.py").write_text(text.replace("import numpy as np", "import time\n\nimport numpy as np", 1))
    return folder


class Killer:
    """Kills a node of the cluster, hard, when so many programs have been evaluated."""

    def __init__(self, cluster: Any, node: Any, after: int) -> None:
        self._cluster = cluster
        self._node = node
        self._after = after
        self.killed_at = 0

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        if not self.killed_at and state.evaluations >= self._after:
            self.killed_at = state.evaluations
            self._cluster.remove_node(self._node, allow_graceful=False)


def test_where_there_is_no_cluster_the_user_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match="start one with 'ray start --head'"):
        connect("auto")


def test_without_a_number_there_are_as_many_workers_as_the_cluster_has_room_for(cluster: Any) -> None:
    connect(cluster.address)
    config = load_config(None, executor="ray", address=cluster.address)
    limits = load_task(str(TOY)).task.limits
    assert settle(config, limits).workers == 1
    second = cluster.add_node(num_cpus=3, object_store_memory=STORE)
    try:
        settled = settle(config, limits)
        assert (settled.workers, settled.in_flight) == (4, 8)
        assert settle(load_config(None, executor="ray", address=cluster.address, workers=2), limits).workers == 2
        assert room(2.0, 0) == 1  # three cores hold one that takes two, and one core none
    finally:
        cluster.remove_node(second)
    with pytest.raises(ConfigError, match="no node of the cluster has the 2 CPUs and 1 GPUs"):
        room(2.0, 1)


def test_what_waits_waits_here(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One actor finds room, the other never does: jobs are sent to the first one by one, and none to the second."""
    under_way: list[int] = [0]
    most = 0

    async def counted(reference: Any) -> Any:
        nonlocal most
        under_way[0] += 1
        most = max(most, under_way[0])
        try:
            return await reference
        finally:
            under_way[0] -= 1

    async def smoked(executor: RayExecutor) -> list[Evaluation | None]:
        try:
            jobs = (executor.do(Smoke({"program.py": source})) for source in sources)
            return await asyncio.gather(*jobs)
        finally:
            await executor.close()

    folder = load_task(str(TOY))
    sources = [folder.baseline, "def solve(x):\n    return None\n"] * 10
    connect(cluster.address)
    monkeypatch.setattr("speciate.discovery.remote._call", counted)
    setting = Setting(folder, b"secret", imagined_calibration(), Backend.BUBBLEWRAP)
    found = asyncio.run(smoked(RayExecutor(setting, workers=2)))
    assert [one is None for one in found] == [True, False] * 10
    assert most == 2  # the one at work, and the other's opening


def test_a_node_with_other_files_of_the_task_is_refused(cluster: Any) -> None:
    async def tried(executor: RayExecutor) -> None:
        try:
            await executor.do(Smoke({}))
        finally:
            await executor.close()

    folder = dataclasses.replace(load_task(str(TOY)), digest="another")
    connect(cluster.address)
    with pytest.raises(TaskError, match="are gone or have changed"):
        asyncio.run(tried(RayExecutor(Setting(folder, b"", imagined_calibration(), Backend.BUBBLEWRAP), workers=1)))


def test_a_worker_that_is_gone_for_good_is_not_waited_for(cluster: Any) -> None:
    async def tried(executor: RayExecutor) -> None:
        try:
            assert await executor.do(Smoke({"program.py": folder.baseline})) is None
            ray.kill(executor._actors[0])
            assert await executor.do(Smoke({"program.py": "nonsense"})) is None  # lost
            with pytest.raises(SandboxError, match="cannot evaluate"):
                await executor.do(Smoke({"program.py": folder.baseline}))
        finally:
            await executor.close()

    folder = load_task(str(TOY))
    connect(cluster.address)
    asyncio.run(tried(RayExecutor(Setting(folder, b"", imagined_calibration(), Backend.BUBBLEWRAP), workers=1)))


def test_a_cluster_gives_the_same_scores_and_a_dead_node_costs_a_retry(cluster: Any, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    task = slowed(TOY, tmp_path / "linear")
    search(task, tmp_path / "local")
    search(task, tmp_path / "cluster", executor="ray", address=cluster.address)
    assert found(tmp_path / "cluster") == found(tmp_path / "local")
    killer = Killer(cluster, second, 5)
    search(task, tmp_path / "killed", killer, executor="ray", address=cluster.address)
    assert 5 <= killer.killed_at < EVALUATIONS
    assert found(tmp_path / "killed") == found(tmp_path / "local")
    failed = [one for one in events(tmp_path / "killed") if isinstance(one, Evaluated)]
    lost = [one for one in failed if one.evaluation.state is State.INFRA]
    assert 1 <= len(lost) <= WORKERS
    assert all("node of the cluster failed" in one.evaluation.feedback for one in lost)
