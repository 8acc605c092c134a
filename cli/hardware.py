"""The hardware and its ceilings, for ``speciate doctor`` and ``speciate bench --hardware``."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from .output import emit_json, note, table

if TYPE_CHECKING:
    from ..evaluators.hardware import Bandwidth, Ceilings, Machine, Rates

BUSY = 0.5
"""Processes per core before the measurement, from which on rates of several cores may be too low."""
MIB = 1 << 20
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def machine_document(machine: Machine) -> dict[str, Any]:
    return {
        "cpus": machine.cores,
        "machine": machine.architecture,
        "kernel": platform.release(),
        "memory_gib": round(machine.memory / 2**30, 1),
        "processor": machine.processor,
        "cores_present": machine.present,
        "affinity": machine.affinity,
        "pinned": machine.pinned,
        "caches": [cache.model_dump() for cache in machine.caches],
        "gpus": [gpu.model_dump() for gpu in machine.gpus],
        "libraries": machine.libraries,
    }


def show_machine(machine: Machine) -> None:
    rows = [
        ("processor", f"{machine.processor} ({machine.architecture})"),
        ("cores", _cores(machine)),
        *((f"L{cache.level} cache", f"{_size(cache.size)}, {_owners(cache.shared_by)}") for cache in machine.caches),
        ("memory", f"{machine.memory / 2**30:.1f} GiB"),
        *((f"GPU {number}", f"{gpu.name}, driver {gpu.driver}") for number, gpu in enumerate(machine.gpus)),
        ("kernel", platform.release()),
        ("libraries", ", ".join(machine.libraries)),
    ]
    table(("machine", ""), rows)


def _cores(machine: Machine) -> str:
    said = f"{machine.cores} of {machine.present} may be used: {machine.affinity}"
    return f"{said} (pinned)" if machine.pinned else said


def _owners(cores: int) -> str:
    return "one for each core" if cores == 1 else f"shared by {cores} cores"


def _size(count: int) -> str:
    return f"{count / MIB:g} MiB" if count >= MIB else f"{count / 1024:g} KiB"


def show_ceilings(ceilings: Ceilings) -> None:
    """One column for each device."""
    from ..evaluators.hardware import PRECISIONS

    devices = [*ceilings.cpu, *ceilings.gpus]
    names = [_device(rates) for rates in devices]
    levels = list(dict.fromkeys(one.level for rates in devices for one in rates.bandwidths))
    rows = [
        (f"{what} within {_level(name)}", *_moved(devices, name, what)) for name in levels for what in ("copy", "read")
    ]
    for precision in reversed(PRECISIONS):
        rows.append(
            (f"matrix product, {precision}", *(_rate(rates.flops.get(precision), "flop/s") for rates in devices))
        )
    rows.append(("kernel launch", *(_microseconds(rates.launch_seconds) for rates in devices)))
    table(("at best", *names), rows, title=f"ceilings, measured {ceilings.measured_at}")
    for line in ceilings.missing:
        note(line)
    if ceilings.load > BUSY:
        note(
            f"the machine was busy then (load {ceilings.load:.1f} per core), so that rates of several cores may be too "
            "low: measure again with 'speciate bench --hardware' when it is not"
        )


def _device(rates: Rates) -> str:
    if rates.threads is None:
        return rates.device
    return "1 core" if rates.threads == 1 else f"{rates.threads} cores"


def _level(name: str) -> str:
    return "the memory" if name == "memory" else name


def _moved(devices: list[Rates], level: str, what: str) -> list[str]:
    found = [next((one for one in rates.bandwidths if one.level == level), None) for rates in devices]
    return [_rate(_part(one, what), "B/s") for one in found]


def _part(one: Bandwidth | None, what: str) -> float | None:
    if one is None:
        return None
    return one.copied if what == "copy" else one.read


def _rate(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    size, prefix = next(((size, prefix) for size, prefix in PREFIXES if value >= size), (1.0, ""))
    return f"{value / size:.3g} {prefix}{unit}"


def _microseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e6:.3g} us"


def bench_hardware(json: bool) -> None:
    """Measure, keep and show. Raises: MeasurementFailed."""
    from ..evaluators.hardware import measure_and_keep

    ceilings = measure_and_keep(note)
    if json:
        emit_json(ceilings.model_dump(mode="json") | {"fingerprint": ceilings.machine.fingerprint})
        return
    show_machine(ceilings.machine)
    show_ceilings(ceilings)


def known_ceilings() -> Ceilings | None:
    """As stored, else measured now; None, and a note, where that fails."""
    from ..evaluators.hardware import MeasurementFailed, known_or_measured

    try:
        return known_or_measured(note)
    except MeasurementFailed as failed:
        note(f"the hardware could not be measured: {failed}")
        return None
