"""One real measurement, quick and small; nothing here depends on how fast the machine is."""

from __future__ import annotations

import itertools

import pytest

from speciate.evaluators.hardware import Machine, arrays, clock, measuring, tensors, this_machine
from speciate.evaluators.hardware.child import Plan
from speciate.evaluators.hardware.levels import levels
from speciate.evaluators.hardware.machine import Gpu


def test_the_best_repetition_counts() -> None:
    """Each call takes a second of this clock, but for every other repetition, which is disturbed for ten more."""
    now, disturbed = 0.0, itertools.cycle([0.0, 0.0, 0.0, 10.0])

    def run() -> None:
        nonlocal now
        now += 1.0

    def read() -> float:
        nonlocal now
        now += next(disturbed)
        return now

    assert clock.best_rate(run, 5.0, read) == pytest.approx(5.0)


def test_a_core_that_is_measured_in_its_own_process_is_plausible() -> None:
    machine = this_machine()
    small = [level.model_copy(update={"working": min(level.working, 1 << 22)}) for level in levels((), 1 << 30, 1)]
    rates = measuring._rates(Plan(device="cpu", threads=1, levels=tuple(small)))
    assert rates.threads == 1
    assert [one.level for one in rates.bandwidths] == ["memory"]
    assert all(one.copied > 0 and one.read > 0 for one in rates.bandwidths)
    double, single = rates.flops["float64"], rates.flops["float32"]
    assert double is not None
    assert single is not None
    assert single > double > 1e8
    assert rates.flops["tf32"] is None
    assert (rates.flops.get("bfloat16") is not None) == any(name.startswith("torch ") for name in machine.libraries)
    assert rates.launch_seconds is None


def test_what_is_measured_on_a_gpu_is_measured_on_any_device_of_torch() -> None:
    pytest.importorskip("torch")
    device = tensors.Device("cpu")
    copied, read = tensors.bandwidth(device, 1 << 16)
    products = tensors.products(device, 32, 16)
    assert copied > 0
    assert read > 0
    assert all(rate is not None and rate > 0 for name, rate in products.items() if name != "tf32")
    assert products["tf32"] is None
    assert 0 < tensors.launch_seconds(device) < 1


def test_several_threads_move_data_of_their_own() -> None:
    copied, read = arrays.bandwidth(1 << 20, 2)
    assert copied > 0
    assert read > 0
    assert arrays.side(1) < arrays.side(64) <= arrays.LARGEST_SIDE


def test_a_gpu_that_cannot_be_used_is_named_and_the_rest_measured(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process really fails: there is no such device."""
    monkeypatch.setattr(measuring, "levels", lambda *sizes: levels((), 1 << 24, 1))
    gpu = Gpu(name="Imagined GPU", driver="1", memory=1 << 30)
    said: list[str] = []
    found = measuring.measure(machine.model_copy(update={"cores": 1, "gpus": (gpu,)}), said.append)
    assert len(found.cpu) == 1
    if not found.gpus:
        assert "Imagined GPU" in found.missing[0]
    assert said == ["measuring one core", "measuring GPU 0, Imagined GPU"]


def test_a_measurement_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(device="cpu")
    monkeypatch.setattr(measuring, "CHILD", "speciate.no_such_module")
    with pytest.raises(measuring.MeasurementFailed, match="no_such_module"):
        measuring._rates(plan)
    monkeypatch.setattr(measuring, "CHILD", "this")
    with pytest.raises(measuring.MeasurementFailed):
        measuring._rates(plan)
