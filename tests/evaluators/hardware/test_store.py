"""Ceilings are measured once per machine, and a file that was damaged is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from speciate.evaluators.cache import cache_folder
from speciate.evaluators.hardware import Ceilings, MeasurementFailed, store, stored
from speciate.evaluators.hardware.machine import Machine
from speciate.evaluators.hardware.measuring import Tell


class Bench:
    """In the place of the measurement: says how often it was asked."""

    def __init__(self, ceilings: Ceilings) -> None:
        self.ceilings = ceilings
        self.calls = 0
        self.fails = False

    def __call__(self, machine: Machine, tell: Tell) -> Ceilings:
        self.calls += 1
        if self.fails:
            raise MeasurementFailed("the processor has melted")
        return self.ceilings


@pytest.fixture
def bench(ceilings: Ceilings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path / "cache"))
    made = Bench(ceilings)
    monkeypatch.setattr(store, "measure", made)
    monkeypatch.setattr(store, "this_machine", lambda: ceilings.machine)
    return made


def only_file() -> Path:
    (file,) = (cache_folder() / store.FOLDER).glob("*.json")
    return file


def test_a_machine_is_measured_once_and_that_is_announced(bench: Bench) -> None:
    said: list[str] = []
    assert store.known_or_measured(said.append) == store.known_or_measured(said.append) == bench.ceilings
    assert bench.calls == 1
    assert said == [store.ANNOUNCED]
    assert stored(bench.ceilings.machine) == bench.ceilings


def test_another_machine_is_measured_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store.known_or_measured()
    other = bench.ceilings.machine.model_copy(update={"processor": "another"})
    bench.ceilings = bench.ceilings.model_copy(update={"machine": other})
    monkeypatch.setattr(store, "this_machine", lambda: other)
    assert store.known_or_measured().machine == other
    assert bench.calls == 2


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"machine": 3}'])
def test_what_is_no_measurement_is_measured_again(content: bytes, bench: Bench) -> None:
    store.known_or_measured()
    only_file().write_bytes(content)
    assert store.known_or_measured() == bench.ceilings
    assert bench.calls == 2


def test_asked_for_it_is_measured_whatever_is_stored(bench: Bench) -> None:
    store.known_or_measured()
    busy = bench.ceilings.model_copy(update={"load": 7.0})
    bench.ceilings = busy
    store.measure_and_keep(lambda text: None)
    assert store.known_or_measured().load == 7.0


def test_a_cache_that_cannot_be_written_measures_each_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECIATE_CACHE", "/dev/null/cache")
    assert store.known_or_measured() == store.known_or_measured() == bench.ceilings
    assert bench.calls == 2


def test_ceilings_of_another_machine_make_room_for_those_of_this_one(bench: Bench) -> None:
    assert store.of_this_machine(None) is None
    assert store.of_this_machine(bench.ceilings) is bench.ceilings
    assert bench.calls == 0
    head = bench.ceilings.machine.model_copy(update={"processor": "of the cluster's head"})
    assert store.of_this_machine(bench.ceilings.model_copy(update={"machine": head})) == bench.ceilings
    assert bench.calls == 1


def test_a_failing_measurement_is_told_and_ends_no_run(bench: Bench) -> None:
    bench.fails = True
    said: list[str] = []
    assert store.of_this_machine(bench.ceilings.model_copy(update={"machine": moved(bench)}), said.append) is None
    assert "melted" in said[-1]


def moved(bench: Bench) -> Machine:
    return bench.ceilings.machine.model_copy(update={"cores": 1})
