"""What a machine is, as the kernel and the GPU's driver tell it."""

import os
from pathlib import Path

import pytest

from speciate.evaluators.hardware import Machine, this_machine
from speciate.evaluators.hardware.levels import LEAST, MOST, SHARE, levels
from speciate.evaluators.hardware.machine import Cache, Gpu, parse_gpus, ranges, read_caches


def test_this_machine_has_the_cores_that_this_process_may_use() -> None:
    machine = this_machine()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.pinned == (machine.cores < machine.present)
    assert machine.processor
    assert machine.memory > 1 << 28
    assert any(name.startswith("numpy ") for name in machine.libraries)


@pytest.mark.parametrize(
    "change",
    [
        {"processor": "another"},
        {"cores": 2},
        {"libraries": ("numpy 2.1",)},
        {"gpus": (Gpu(name="G", driver="550", memory=1),)},
        {"memory": 16_000_000_000},
    ],
)
def test_what_changes_the_speed_changes_the_fingerprint(change: dict[str, object], machine: Machine) -> None:
    assert machine.model_copy(update=change).fingerprint != machine.fingerprint


def test_a_new_driver_is_another_machine_and_a_kernel_that_takes_a_page_more_is_not(machine: Machine) -> None:
    drivers = [machine.model_copy(update={"gpus": (Gpu(name="G", driver=name, memory=1),)}) for name in ("1", "2")]
    assert drivers[0].fingerprint != drivers[1].fingerprint
    assert machine.model_copy(update={"memory": machine.memory + 4096}).fingerprint == machine.fingerprint


@pytest.mark.parametrize(("numbers", "text"), [([0, 1, 2, 3, 8], "0-3,8"), ([5], "5"), ([], ""), ([1, 3, 4], "1,3-4")])
def test_cores_are_listed_as_linux_does(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_data_caches_are_read_and_others_left_out(tmp_path: Path) -> None:
    told = [("Data", "1", "48K", "0"), ("Instruction", "1", "32K", "0"), ("Unified", "3", "36M", "0-7,16-23")]
    for number, values in enumerate(told):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, value in zip(("type", "level", "size", "shared_cpu_list"), values, strict=True):
            (folder / name).write_text(f"{value}\n")
    (tmp_path / "index9").mkdir()
    found = list(read_caches(tmp_path))
    assert found == [Cache(level=1, size=48 << 10, shared_by=1), Cache(level=3, size=36 << 20, shared_by=16)]
    assert list(read_caches(tmp_path / "nowhere")) == []


def test_gpus_are_read_from_their_drivers_own_words() -> None:
    text = "NVIDIA H100 80GB HBM3, 550.54.15, 81559\nNVIDIA GB10, 580.1, [N/A]\n\n"
    assert list(parse_gpus(text)) == [
        Gpu(name="NVIDIA H100 80GB HBM3", driver="550.54.15", memory=81559 << 20),
        Gpu(name="NVIDIA GB10", driver="580.1", memory=0),
    ]


def test_levels_fit_into_their_caches_and_the_last_into_none() -> None:
    caches = (Cache(level=1, size=1 << 15, shared_by=1), Cache(level=2, size=1 << 20, shared_by=1))
    shared = Cache(level=3, size=1 << 25, shared_by=4)
    for threads in (1, 4):
        *within, memory = levels((*caches, shared), 1 << 34, threads)
        assert [level.name for level in within] == ["L2", "L3"]
        assert [level.capacity for level in within] == [threads << 20, 1 << 25]
        assert all(level.capacity and threads * level.working <= level.capacity // 2 for level in within)
        assert memory.capacity is None
        assert LEAST <= threads * memory.working <= MOST
    (only,) = levels((), 1 << 29, 1)
    assert only.working == (1 << 29) // SHARE
