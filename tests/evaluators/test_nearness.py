"""Evaluations say how near to the hardware's limit a program came, and what is beyond it is QUARANTINED (D11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from speciate.evaluators import (
    Calibration,
    Evaluation,
    Evaluator,
    State,
    calibrate,
    calibration,
    input_bytes,
    load_task,
)
from speciate.evaluators.hardware import Bandwidth, Ceilings, Rates, this_machine
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

TOY = load_task(str(Path(__file__).parent.parent / "toy_tasks" / "timed"))
DECLARED = replace(TOY, task=replace(TOY.task, bytes=input_bytes))
REFERENCE = {"program.py": TOY.programs["reference"]}


def ceilings(bandwidth: float) -> Ceilings:
    """Of this machine, if it moved so many bytes per second."""
    level = Bandwidth(level="memory", capacity=None, copied=bandwidth, read=bandwidth)
    rates = Rates(device="cpu", threads=1, bandwidths=(level,), flops={"float64": 1e9})
    return Ceilings(machine=this_machine(), cpu=(rates,), measured_at="2026-01-01", load=0.0, seconds=1.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


@pytest.fixture(scope="module")
def measured(sandbox: Sandbox) -> Calibration:
    """A calibration on a machine that moves 100 GB/s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "ceilings_for", lambda task, tell: ceilings(1e11))
        return calibrate(DECLARED, sandbox, b"s")


def evaluated(sandbox: Sandbox, calibration: Calibration, gate: bool = True) -> Evaluation:
    return Evaluator(DECLARED, sandbox, b"s", calibration).evaluate(REFERENCE, "p", gate=gate)


def test_each_instance_and_the_whole_say_how_near_they_came(sandbox: Sandbox, measured: Calibration) -> None:
    found = evaluated(sandbox, measured)
    assert found.state is State.VALID
    assert found.roofline is not None
    fractions = []
    for one in found.instances:
        assert one.roofline is not None
        assert one.roofline.seconds == pytest.approx(1500 * 16 * 8 / 1e11)
        assert one.roofline.fraction == pytest.approx(one.roofline.seconds / one.cpu_seconds)
        assert one.roofline.bound == "memory"
        fractions.append(one.roofline.fraction)
    assert min(fractions) <= found.roofline <= max(fractions) < 0.1
    assert "of_hardware_limit=" in found.feedback
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


def test_the_scale_has_what_baseline_and_reference_reach(sandbox: Sandbox, measured: Calibration) -> None:
    assert measured.baseline_roofline is not None
    assert measured.reference_roofline is not None
    assert 0 < measured.baseline_roofline < measured.reference_roofline < 0.1
    said = measured.nearness(evaluated(sandbox, measured))
    assert "of the hardware's limit (memory); baseline " in said
    assert Calibration.model_validate_json(measured.model_dump_json()) == measured


def test_what_is_faster_than_the_hardware_is_quarantined_with_its_reason(
    sandbox: Sandbox, measured: Calibration
) -> None:
    slow = measured.model_copy(update={"ceilings": ceilings(1e6)})
    found = evaluated(sandbox, slow)
    assert found.state is State.QUARANTINED
    assert found.score is None
    assert "where the hardware needs 0." in found.instances[-1].note
    assert "to move the data" in found.feedback
    assert "counts only once it is certified" in found.feedback
    assert evaluated(sandbox, slow, gate=False).score is not None


def test_a_task_that_declares_nothing_is_as_before(sandbox: Sandbox) -> None:
    plain = calibrate(TOY, sandbox, b"s")
    assert plain.ceilings is None
    assert plain.least_seconds == {}
    found = Evaluator(TOY, sandbox, b"s", plain.model_copy(update={"ceilings": ceilings(1e6)})).evaluate(REFERENCE, "p")
    assert found.state is State.VALID
    assert found.roofline is None
    assert found.nearness == plain.nearness(found) == ""
    assert "hardware" not in found.feedback


def test_evaluations_of_older_runs_still_load() -> None:
    old = '{"state":"valid","size":"default","score":1.0,"instances":[{"name":"a","state":"valid","value":2.0}]}'
    found = Evaluation.model_validate_json(old)
    assert found.roofline is None
    assert found.instances[0].roofline is None
