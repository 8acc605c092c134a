"""What a task is and how a program is scored."""

from ..sandbox import OracleRefused
from .evaluation import Evaluation, InstanceResult, Interval, Record, State
from .oracle import CallLog, Oracle, OracleCall
from .task import (
    Constraint,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)

__all__ = [
    "CallLog",
    "Constraint",
    "Descriptor",
    "Direction",
    "Entry",
    "Evaluation",
    "Instance",
    "InstanceResult",
    "Interval",
    "Measure",
    "Objective",
    "Oracle",
    "OracleCall",
    "OracleRefused",
    "Paper",
    "Record",
    "Size",
    "State",
    "Task",
    "TaskLimits",
    "Verdict",
]
