"""Methods under one budget: real runs of a small task."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.archive import Journal, Proposed, RunState, replay
from speciate.discovery.comparison import Trial, budgets, compare, estimate, pass_at, rows
from speciate.discovery.config import ConfigError, RunConfig, load_config
from speciate.discovery.methods import METHODS, configured
from speciate.evaluators import TaskError

TOYS = Path(__file__).parent.parent / "toy_tasks"
LINEAR = str(TOYS / "linear")


COMPARED = ("evolution", "random", "hill_climbing", "best_of_n", "beam", "no_islands", "no_archive")


def base(evaluations: int = 16) -> RunConfig:
    return load_config(None, budget__evaluations=evaluations, workers=2, in_flight=2)


def state_of(directory: Path) -> RunState:
    journal = Journal.open(directory, readonly=True)
    state = replay(journal)
    journal.close()
    return state


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Trial]]:
    out = tmp_path_factory.mktemp("compare")
    return out, compare(LINEAR, {name: configured(name, base()) for name in COMPARED}, [3], out)


def parents(directory: Path) -> list[tuple[str, ...]]:
    return [event.parents for event in state_of(directory).proposals.values() if event.operator != "seed"]


def test_every_method_has_the_same_budget_and_starts_from_the_same_baseline(
    compared: tuple[Path, list[Trial]],
) -> None:
    _, trials = compared
    assert {len(trial.curve) for trial in trials} == {16}
    assert {trial.curve[0] for trial in trials} == {0.0}
    for trial in trials:
        assert list(trial.curve) == sorted(trial.curve)


@pytest.mark.parametrize("method", ["random", "best_of_n"])
def test_without_search_only_the_baseline_is_varied(method: str, compared: tuple[Path, list[Trial]]) -> None:
    run = compared[0] / f"{method}-seed3"
    assert set(parents(run)) == {(state_of(run).baseline,)}


def test_random_search_walks_and_best_of_n_takes_one_step(compared: tuple[Path, list[Trial]]) -> None:
    def steps(method: str) -> list[int]:
        proposals = state_of(compared[0] / f"{method}-seed3").proposals.values()
        return [event.detail.count(" > ") + 1 for event in proposals if event.operator != "seed"]

    assert set(steps("best_of_n")) == {1}
    assert max(steps("random")) > 1


def test_hill_climbing_has_one_parent_that_is_never_replaced_by_a_worse_one(
    compared: tuple[Path, list[Trial]],
) -> None:
    state, incumbent = RunState(), ""
    journal = Journal.open(compared[0] / "hill_climbing-seed3", readonly=True)
    for _, _, event in journal.events():
        if isinstance(event, Proposed) and event.operator != "seed":
            assert event.parents == (incumbent,)
        state.apply(event)
        if event.kind == "evaluated":
            index = event.index
            program = next(p.program for p in state.proposals.values() if p.index == index)
            score = state.evaluation_of(program).score
            if score is not None and (not incumbent or score >= (state.evaluation_of(incumbent).score or 0.0)):
                incumbent = program
    journal.close()


def test_beam_varies_only_programs_that_were_among_the_best(compared: tuple[Path, list[Trial]]) -> None:
    run = compared[0] / "beam-seed3"
    state = state_of(run)
    assert len({first for first, *_ in parents(run)}) > 1
    for first, *_ in parents(run):
        assert state.evaluation_of(first).score is not None


def test_no_archive_keeps_one_elite_per_island_and_no_islands_one_island(
    compared: tuple[Path, list[Trial]],
) -> None:
    single = state_of(compared[0] / "no_archive-seed3").archipelago.islands
    assert [len(island.elites()) for island in single] == [1, 1]
    assert len(state_of(compared[0] / "no_islands-seed3").archipelago.islands) == 1


def test_finished_runs_are_kept_and_a_broken_beginning_is_made_again(compared: tuple[Path, list[Trial]]) -> None:
    out, trials = compared
    configs = {"evolution": base(), "beam": configured("beam", base())}
    before = {name: (out / f"{name}-seed3" / "journal.db").stat().st_mtime_ns for name in configs}
    again = compare(LINEAR, configs, [3], out)
    assert again == [trial for name in configs for trial in trials if trial.method == name]
    assert before == {name: (out / f"{name}-seed3" / "journal.db").stat().st_mtime_ns for name in configs}
    Journal.create(out / "evolution-seed4").close()
    (one,) = compare(LINEAR, {"evolution": base(5)}, [4], out)
    assert len(one.curve) == 5


def test_a_folder_with_other_runs_is_refused(compared: tuple[Path, list[Trial]]) -> None:
    out, _ = compared
    with pytest.raises(ConfigError, match=r"other settings \(budget\)"):
        compare(LINEAR, {"evolution": base(17)}, [3], out)
    with pytest.raises(TaskError, match="another task"):
        compare(str(TOYS / "timed"), {"evolution": base()}, [3], out)


def test_every_method_is_another_valid_configuration_under_the_same_budget() -> None:
    configs = [configured(name, base()) for name in METHODS]
    assert len({config.model_dump_json() for config in configs}) == len(METHODS)
    assert all(config.budget == base().budget for config in configs)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'magic'.*evolution"):
        configured("magic", base())


def trial(method: str, seed: int, *curve: float) -> Trial:
    return Trial(method, seed, Path(), curve, curve[-1] > 0, curve[-1])


def test_differences_are_paired_by_seed_whatever_their_order() -> None:
    runs = [trial("a", 1, 0.0, 10.0), trial("a", 2, 0.0, 20.0), trial("b", 2, 0.0, 21.0), trial("b", 1, 0.0, 11.0)]
    first, second = rows(runs, 2)
    assert first.difference is None
    assert second.difference is not None
    assert second.difference.mean == 1.0
    assert second.difference.interval is not None
    assert (second.difference.interval.low, second.difference.interval.high) == (1.0, 1.0)
    assert second.best.interval is not None
    assert second.best.interval.high - second.best.interval.low > 5
    assert (second.certified, second.seeds) == (2, 2)
    assert {count: at.mean for count, at in second.at.items()} == {1: 0.0, 2: 16.0}


def test_a_run_that_ended_early_keeps_its_last_score() -> None:
    assert trial("a", 0, 0.0, 0.5).at(100) == 0.5
    assert replace(trial("a", 0, 0.0), curve=(0.0, 1.0, 2.0)).at(2) == 1.0


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12))
def test_an_interval_holds_the_mean_and_stays_within_the_values(values: list[float]) -> None:
    found = estimate(values)
    assert found.interval is not None
    assert found.interval.low <= found.mean + 1e-9
    assert found.interval.high >= found.mean - 1e-9
    assert min(values) - 1e-9 <= found.interval.low
    assert found.interval.high <= max(values) + 1e-9
    assert found == estimate(values)


def test_one_seed_gives_no_interval_and_more_seeds_a_narrower_one() -> None:
    assert estimate([1.0]).interval is None
    draws = np.random.default_rng(0).normal(size=200).tolist()
    few, many = estimate(draws[:10]).interval, estimate(draws).interval
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low


@given(st.integers(1, 5000))
def test_budgets_rise_to_all_evaluations(evaluations: int) -> None:
    counts = budgets(evaluations)
    assert counts == sorted(set(counts))
    assert counts[-1] == evaluations
    assert counts[0] >= 1


@given(passes=st.lists(st.booleans(), min_size=1, max_size=8), data=st.data())
def test_pass_at_k_is_the_share_of_choices_of_k_runs_with_one_that_passed(
    passes: list[bool], data: st.DataObject
) -> None:
    """Row programming_puzzles."""
    tries = data.draw(st.integers(1, len(passes)))
    choices = [any(chosen) for chosen in itertools.combinations(passes, tries)]
    assert pass_at(len(passes), sum(passes), tries) == pytest.approx(sum(choices) / len(choices))
