"""What happens in a run: the events of its journal, and nothing else, make its state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter

from ..evaluators import Duel, Evaluation, Record, Trace
from ..evaluators.calibration import Calibration
from .archipelago import Move
from .island import AddStatus
from .program import writable
from .settings import ArchiveSettings

Text = Annotated[str, BeforeValidator(writable)]
"""Text from outside, e.g. of a language model."""

FORMAT = 1
"""Number of the journal's format; a reader refuses any other."""


STRIDE = 10**9
"""Conductor ``c`` numbers its proposals from ``c * STRIDE`` on, so that nobody else has the same number."""


def conductor_of(index: int) -> int:
    """Whose proposal that is."""
    return index // STRIDE


class RunStarted(Record):
    """First event of a journal. ``secret`` (hex) is what the run's instances derive from."""

    kind: Literal["run_started"] = "run_started"
    task: str
    task_path: str
    task_digest: str
    config: dict[str, Any]
    archive: ArchiveSettings
    seed: int
    secret: str
    version: str
    format: int = FORMAT


class Calibrated(Record):
    """Baseline and reference as measured on this machine, once per run."""

    kind: Literal["calibrated"] = "calibrated"
    calibration: Calibration


class Launched(Record):
    """A proposer that waits for answers was briefed: what it was shown is the state at this place of the journal."""

    kind: Literal["launched"] = "launched"
    index: int
    island: int


class Replied(Record):
    """What a language model (or a person at the inbox) answered for proposal ``index``, and what that cost.

    ``prompt_hash`` covers model, parameters, messages and ``index``. A ``broken`` reply was cut off by the connection:
    it is paid for and never used. Where the endpoint did not count tokens they are ``estimated``; ``usd`` is None where
    the model's price is unknown. ``seconds`` is from the first try to the end of the reply.
    """

    kind: Literal["replied"] = "replied"
    index: int
    step: int
    model: str
    prompt_hash: str
    text: Text
    reasoning: Text = ""
    finish: Literal["stop", "length", "filtered", "broken"] = "stop"
    error: Text = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Of the output tokens."""
    usd: float | None = None
    estimated: bool = False
    tries: int = 1
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


class Proposed(Record):
    """A program on its way to evaluation. ``program`` is its id, ``parents`` are ids, ``parents[0]`` was varied."""

    kind: Literal["proposed"] = "proposed"
    index: int
    island: int
    files: dict[str, str]
    program: str
    parents: tuple[str, ...]
    operator: str
    proposer: str
    detail: Text = ""
    rationale: Text = ""
    model: str | None = None
    prompt_hash: str | None = None
    tokens: int = 0
    usd: float | None = None
    cpu_seconds: float = 0.0
    faults: tuple[Text, ...] = ()
    """What was wrong with replies that had a second chance, one line each."""


class Dropped(Record):
    """Nothing to evaluate came of this index: no proposal, a duplicate, bad syntax. What it cost is still counted."""

    kind: Literal["dropped"] = "dropped"
    index: int
    island: int
    reason: Text
    proposer: str = ""
    detail: Text = ""
    model: str | None = None
    prompt_hash: str | None = None
    tokens: int = 0
    usd: float | None = None
    cpu_seconds: float = 0.0
    faults: tuple[Text, ...] = ()


class Remeasured(Record):
    """The proposal ``index`` was timed again together with the elite that it would have displaced.

    ``first`` is its evaluation before that. The elite's values in ``duel`` are added to those that it has, the
    challenger's evaluation follows as ``Evaluated`` with the descriptors of ``first``.
    """

    kind: Literal["remeasured"] = "remeasured"
    index: int
    first: Evaluation
    elite: str
    duel: Duel


class Evaluated(Record):
    """The proposal ``index`` was scored; in state INFRA it stays pending."""

    kind: Literal["evaluated"] = "evaluated"
    index: int
    evaluation: Evaluation


class Added(Record):
    """What an island of the live run answered to the evaluation before it; changes no state, ``verify`` compares it."""

    kind: Literal["added"] = "added"
    index: int
    island: int
    status: AddStatus
    improvement: float | None = None
    reason: str = ""
    displaced: str | None = None


class Refuted(Record):
    """A program that passed the smoke instances failed its evaluation. ``evaluation`` is what it comes to on a further
    smoke instance, the counterexample; None where none was found. ``gates``: whether later programs must pass it.
    """

    kind: Literal["refuted"] = "refuted"
    index: int
    program: str
    evaluation: Evaluation | None
    gates: bool


class Traced(Record):
    """What a program did on a smoke instance, once more and apart from any score; for proposers that read.

    A new elite, or one that failed there and whose repair was asked for: that may be a draft which nobody proposed.
    """

    kind: Literal["traced"] = "traced"
    program: str
    trace: Trace


class _Moved(Record):
    """The elite ``program`` of island ``source`` was offered to island ``target`` after evaluation ``index``."""

    index: int
    program: str
    source: int
    target: int


class Migrated(_Moved):
    """To another island as it is."""

    kind: Literal["migrated"] = "migrated"


class IslandReset(_Moved):
    """The target lost all its elites before."""

    kind: Literal["island_reset"] = "island_reset"


class IslandAdded(_Moved):
    """The target is a new island."""

    kind: Literal["island_added"] = "island_added"


Moved = Migrated | IslandReset | IslandAdded


def moved(index: int, move: Move) -> Moved:
    """The event of a move after evaluation ``index``."""
    kinds = {"migrated": Migrated, "island_reset": IslandReset, "island_added": IslandAdded}
    return kinds[move.kind](index=index, program=move.program, source=move.source, target=move.target)


class Certified(Record):
    """The program's evaluation on fresh secret instances; ``certifies`` says whether it holds.

    ``gap`` is by how much the score in the search exceeds this one, where both exist.
    """

    kind: Literal["certified"] = "certified"
    program: str
    evaluation: Evaluation
    gap: float | None = None


class Joined(Record):
    """A further conductor takes part, with new islands of its own, which begin with the baseline ``program``.

    Conductors count from 0, which is the one that began the run. ``config`` is the joining one's; of its budget and
    seed the run's hold.
    """

    kind: Literal["joined"] = "joined"
    conductor: int
    islands: int
    program: str
    config: dict[str, Any]


class Stopped(Record):
    """A conductor ended; ``seconds`` is the wall time of the run over all sittings."""

    kind: Literal["stopped"] = "stopped"
    reason: str
    seconds: float
    conductor: int = 0


class Resumed(Record):
    """A conductor goes on; ``budget`` takes the place of the run's where more was granted."""

    kind: Literal["resumed"] = "resumed"
    conductor: int = 0
    budget: dict[str, Any] | None = None


Event = Annotated[
    RunStarted
    | Calibrated
    | Launched
    | Replied
    | Proposed
    | Dropped
    | Remeasured
    | Evaluated
    | Added
    | Refuted
    | Traced
    | Moved
    | Certified
    | Joined
    | Stopped
    | Resumed,
    Field(discriminator="kind"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def decode(payload: str | bytes) -> Event:
    """Raises: ValueError (pydantic's ValidationError) for what is no event."""
    return _ADAPTER.validate_json(payload)
