"""What this machine can do at best, and how near to it a program comes."""

from .ceilings import PRECISIONS, Bandwidth, Ceilings, Rates
from .machine import Machine, this_machine
from .measuring import MeasurementFailed
from .roofline import SLACK, Roof, array_bytes, declared, input_bytes, roof
from .store import ceilings_for, known_or_measured, measure_and_keep, of_this_machine, stored

__all__ = [
    "PRECISIONS",
    "SLACK",
    "Bandwidth",
    "Ceilings",
    "Machine",
    "MeasurementFailed",
    "Rates",
    "Roof",
    "array_bytes",
    "ceilings_for",
    "declared",
    "input_bytes",
    "known_or_measured",
    "measure_and_keep",
    "of_this_machine",
    "roof",
    "stored",
    "this_machine",
]
