"""Evaluations on a device, with the CPU in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from speciate.evaluators import Evaluator, Instance, State, TaskFolder, calibrate, load_task
from speciate.evaluators.contract import TaskError, violations
from speciate.evaluators.device import tried, warming, with_warm_up
from speciate.evaluators.task import Measure
from speciate.sandbox import Backend, NoDevice, Sandbox, Tier, open_sandbox
from speciate.sandbox.device import gpus

NORMS = Path(__file__).parents[2] / "evaluators" / "redteam" / "on_device" / "norms"
SECRET = b"of these tests"
QUICK = "def norms(X): return (X * X).sum(dim=1)\n"


@pytest.fixture(scope="module")
def folder() -> TaskFolder:
    return load_task(str(NORMS))


@pytest.fixture(scope="module")
def sandbox(folder: TaskFolder) -> Iterator[Sandbox]:
    with open_sandbox(folder.spec(Backend.CPU_DEVICE)) as opened:
        yield opened


@pytest.fixture(scope="module")
def evaluator(folder: TaskFolder, sandbox: Sandbox) -> Evaluator:
    return Evaluator(folder, sandbox, SECRET, calibrate(folder, sandbox, SECRET))


def shaped(name: str, length: int) -> Instance:
    return Instance(name, {"x": np.zeros(length), "k": 1})


def test_the_first_instance_of_each_shape_warms_up() -> None:
    instances = [shaped("a", 3), shaped("b", 3), shaped("c", 4), shaped("d", 4), shaped("e", 3)]
    assert [one.name for one in warming(instances)] == ["a", "c"]
    assert [one.name for one in with_warm_up(instances[3:], instances)] == ["a", "c", "d", "e"]


def test_a_faster_program_scores_and_is_told_how(evaluator: Evaluator) -> None:
    found = evaluator.evaluate({"program.py": QUICK}, "quick")
    assert found.state is State.VALID
    assert found.interval is not None
    assert found.interval.low > 0
    assert found.tier == Tier.CPU_DEVICE
    assert len(found.instances) == 8
    assert set(found.metrics) >= {"span_seconds", "way_seconds", "claimed_seconds"}
    for one in found.instances:
        assert one.value is not None
        assert one.value == pytest.approx(max(one.metrics["span_seconds"] - one.metrics["way_seconds"], 1e-6))


def test_a_program_that_is_wrong_from_its_second_call_on_is_invalid(folder: TaskFolder, sandbox: Sandbox) -> None:
    program = "calls = []\ndef norms(X):\n    calls.append(X)\n    return (X * X).sum(dim=1) * (len(calls) < 3)\n"
    instances = [replace(folder.task.instances(np.random.default_rng(n), "smoke")[0], name=f"{n}") for n in range(4)]
    found = tried(folder.task, sandbox, {"program.py": program}, instances, folder.task.limits.run)
    assert [(name, trial.state) for name, trial in found] == [
        ("0", State.VALID),
        ("1", State.VALID),
        ("2", State.INVALID),
    ]


def test_a_program_that_fails_later_is_told_where(folder: TaskFolder, sandbox: Sandbox) -> None:
    program = (
        "import torch\ncalls = []\ndef norms(X):\n    calls.append(0)\n    if len(calls) == 2: torch.ones(1 << 40)\n"
    )
    program += "    return (X * X).sum(dim=1)\n"
    instances = [replace(folder.task.instances(np.random.default_rng(n), "smoke")[0], name=f"{n}") for n in range(3)]
    found = tried(folder.task, sandbox, {"program.py": program}, instances, folder.task.limits.run)
    assert [(name, trial.state) for name, trial in found] == [("0", State.VALID), ("1", State.MEMORY)]


def test_the_smoke_gate_stops_a_broken_program(evaluator: Evaluator) -> None:
    found = evaluator.evaluate({"program.py": "def norms(X): return X[0]\n"}, "broken")
    assert found.state is State.INVALID
    assert found.gated


def test_two_programs_are_timed_in_turn(evaluator: Evaluator, folder: TaskFolder) -> None:
    duel = evaluator.duel({"program.py": QUICK}, {"program.py": folder.baseline}, "a")
    assert duel is not None
    assert duel.won


@pytest.mark.skipif(bool(gpus()), reason="there is a GPU")
def test_without_a_gpu_only_the_cpu_in_its_place_will_do(folder: TaskFolder) -> None:
    with pytest.raises(NoDevice, match="--device cpu"):
        folder.spec(Backend.BUBBLEWRAP)
    with pytest.raises(NoDevice, match="--device cpu"):
        folder.spec(Backend.UNSAFE)


def test_a_device_is_for_tasks_that_ask_for_one(folder: TaskFolder) -> None:
    with pytest.raises(TaskError, match="docker"):
        folder.spec(Backend.DOCKER)
    with pytest.raises(TaskError, match="leave --device out"):
        load_task("fasterpam").spec(Backend.CPU_DEVICE)


def test_the_contract_of_a_device(folder: TaskFolder) -> None:
    task = folder.task
    assert list(violations(task)) == []
    oracle = replace(task, style="oracle", oracle=lambda instance: None)  # type: ignore[arg-type, return-value]
    assert any("style 'function'" in said for said in violations(oracle))
    bare = replace(task, limits=replace(task.limits, gpus=0.0))
    assert task.objective.measure is Measure.DEVICE_SECONDS
    assert any("device_seconds" in said for said in violations(bare))
