"""Runs on a real Ray cluster of two nodes, of which one is killed in the middle."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Evaluated, Event, Journal, RunState, verify
from speciate.discovery import Budget
from speciate.discovery.config import ConfigError, load_config
from speciate.discovery.remote import connect
from speciate.discovery.run import start
from speciate.evaluators import State

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'speciate[ray]'")

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"
STORE = 100 * 1024 * 1024
WORKERS = 2
EVALUATIONS = 16


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # else its workers starve on a machine that does more

    node = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


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


def search(directory: Path, *observers: Any, **values: Any) -> None:
    options = {"budget__evaluations": EVALUATIONS, "workers": WORKERS, "seed": 3, "simplify": False, **values}
    start(str(TOY), load_config(None, **options), directory, observers=observers)


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


def test_a_cluster_gives_the_same_scores_and_a_dead_node_costs_a_retry(cluster: Any, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    search(tmp_path / "local")
    search(tmp_path / "cluster", executor="ray", address=cluster.address)
    assert found(tmp_path / "cluster") == found(tmp_path / "local")
    killer = Killer(cluster, second, 5)
    search(tmp_path / "killed", killer, executor="ray", address=cluster.address)
    assert 5 <= killer.killed_at < EVALUATIONS
    assert found(tmp_path / "killed") == found(tmp_path / "local")
    failed = [one for one in events(tmp_path / "killed") if isinstance(one, Evaluated)]
    lost = [one for one in failed if one.evaluation.state is State.INFRA]
    assert len(lost) <= WORKERS
    assert all("node of the cluster failed" in one.evaluation.feedback for one in lost)


def test_where_there_is_no_cluster_the_user_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match="start one with 'ray start --head'"):
        connect("auto")
