"""The sweep of methods over tasks: real runs of a small task."""

import contextlib
from pathlib import Path

import pytest

from speciate.archive import Journal
from speciate.benchmarks.methods import METHODS, Sweep, ended, found, run, run_all, table

LINEAR = str(Path(__file__).parent.parent / "toy_tasks" / "linear")


def events(run: Path) -> int:
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        return len(list(journal.events()))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    swept = Sweep(tmp_path_factory.mktemp("methods"), (LINEAR,), evaluations=10, seeds=2)
    assert run_all(swept, jobs=2)
    return swept


def test_every_run_ends_and_is_kept(sweep: Sweep) -> None:
    folders = [sweep.directory(*one) for one in sweep.runs()]
    assert len(set(folders)) == len(METHODS) * 2
    assert all(ended(folder) for folder in folders)
    before = [events(folder) for folder in folders]
    assert all(run(sweep, *one) for one in sweep.runs())
    assert [events(folder) for folder in folders] == before


def test_the_table_pairs_the_methods_by_seed(sweep: Sweep) -> None:
    row = next(line for line in table(sweep) if "linear" in line).split(" | ")
    best = {one.method: one.best.mean for one in found(sweep, LINEAR)}
    assert row[1] == "2"
    assert float(row[5].split()[0]) == pytest.approx(best["evolution"] - best["random"], abs=1e-3)
    assert float(row[6].split()[0]) == pytest.approx(best["evolution"] - best["hill_climbing"], abs=1e-3)


def test_a_seed_that_some_method_has_not_finished_is_left_out(sweep: Sweep) -> None:
    wider = Sweep(sweep.out, sweep.tasks, sweep.evaluations, seeds=3)
    run(wider, LINEAR, "evolution", 2)
    assert {row.seeds for row in found(wider, LINEAR)} == {2}
    assert found(Sweep(sweep.out, ("subgm_small_init",), 10, 2), "subgm_small_init") == []
