"""What an evaluation says: states, per-instance results, score with interval."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..sandbox import Tier


class State(StrEnum):
    """How an evaluation ended. Only VALID is comparable; INFRA is our own fault and never charged to a program."""

    VALID = "valid"
    INVALID = "invalid"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    FORBIDDEN = "forbidden"
    QUARANTINED = "quarantined"
    INFRA = "infra"


class Record(BaseModel):
    """Base of what the journal stores: immutable, unknown keys refused, NaN and infinity kept as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


AS_TRUSTED = "as trusted as its evaluator, which ran in one process with the program"


def percent(fraction: float) -> str:
    """A fraction of a limit in two significant digits: ``0.034 %``."""
    return f"{float(f'{100 * fraction:.2g}'):g} %"


class Interval(Record):
    """A two-sided confidence interval; a certificate's may be above 95 % (see ``discovery/certification.py``)."""

    low: float
    high: float
    confidence: float = 0.95


class Roofline(Record):
    """How near a program came to the hardware's limit on an instance (see ``hardware/roofline.py``).

    ``seconds`` is the least that this machine needs, for arithmetic or for moving data; ``fraction`` is their part of
    the seconds that the program took.
    """

    seconds: float
    fraction: float
    bound: Literal["arithmetic", "memory"]


class InstanceResult(Record):
    """One program on one instance. ``value`` is the objective's, ``gain`` its transformed distance to the baseline."""

    name: str
    state: State
    note: str = ""
    value: float | None = None
    gain: float | None = None
    metrics: dict[str, float] = {}
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory: int = 0
    oracle_cost: float = 0.0
    roofline: Roofline | None = None


class Evaluation(Record):
    """The result of scoring one program. ``score`` and ``interval`` exist only where ``state`` is VALID.

    ``load`` is the machine's: processes that wanted to run, over the last minute, per core that this one may use.
    """

    state: State
    size: str
    score: float | None = None
    interval: Interval | None = None
    value: float | None = None
    metrics: dict[str, float] = {}
    descriptors: dict[str, float] = {}
    feedback: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory: int = 0
    tier: str = ""
    load: float | None = None
    roofline: float | None = None
    """Geometric mean of the instances' fractions of the hardware's limit, where the task says what they ask of it."""
    instances: tuple[InstanceResult, ...] = ()
    behaviour: str = ""
    """Hash of what the program did on the smoke instances; empty where it was not run on them, or only time counts."""
    gated: bool = False
    """Whether it ended at the smoke instances: the program failed there, or did what a known one does (then VALID and
    without a score)."""
    missed: tuple[str, ...] = ()
    """Counterexamples on which it failed and was evaluated all the same."""

    @property
    def nearness(self) -> str:
        """How near to the hardware's limit it came, for people; empty where the task says nothing of its instances."""
        if self.roofline is None:
            return ""
        bounds = sorted({one.roofline.bound for one in self.instances if one.roofline is not None})
        return f"{percent(self.roofline)} of the hardware's limit ({', '.join(bounds)})"

    @property
    def caveat(self) -> str:
        """What must be said beside the score: empty, but where the program ran in one process with its evaluator."""
        return AS_TRUSTED if self.tier == Tier.SHARED else ""
