"""What a task is and how a program is scored."""

from ..sandbox import OracleRefused
from .cache import costly
from .calibration import Calibration, calibrate
from .check import CheckResult, check_task
from .checks import Rejected
from .duel import Duel
from .evaluation import Evaluation, InstanceResult, Interval, Record, State
from .evaluator import Evaluator
from .gate import Known
from .hardware.roofline import array_bytes, input_bytes
from .loader import TaskError, TaskFolder, catalogue, load_task, reload_task
from .oracle import CallLog, Oracle, OracleCall
from .source import check_kept, check_source
from .styles import Session
from .task import (
    Constraint,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Precision,
    Size,
    Task,
    TaskLimits,
    Unit,
    Verdict,
)
from .trace import Trace

__all__ = [
    "Calibration",
    "CallLog",
    "CheckResult",
    "Constraint",
    "Descriptor",
    "Direction",
    "Duel",
    "Entry",
    "Evaluation",
    "Evaluator",
    "Instance",
    "InstanceResult",
    "Interval",
    "Known",
    "Measure",
    "Objective",
    "Oracle",
    "OracleCall",
    "OracleRefused",
    "Paper",
    "Precision",
    "Record",
    "Rejected",
    "Session",
    "Size",
    "State",
    "Task",
    "TaskError",
    "TaskFolder",
    "TaskLimits",
    "Trace",
    "Unit",
    "Verdict",
    "array_bytes",
    "calibrate",
    "catalogue",
    "check_kept",
    "check_source",
    "check_task",
    "costly",
    "input_bytes",
    "load_task",
    "reload_task",
]
