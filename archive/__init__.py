"""Programs, the journal of a run, and the islands that keep its elites."""

from .archipelago import Archipelago, Move
from .events import (
    Added,
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    IslandAdded,
    IslandReset,
    Joined,
    Launched,
    Migrated,
    Proposed,
    Remeasured,
    Replied,
    Resumed,
    RunStarted,
    Stopped,
    Traced,
    moved,
)
from .export import ExportError
from .island import AddResult, AddStatus, Elite, Island, Stats
from .journal import Journal, JournalError, is_run
from .knowledge import certifies
from .ledger import Arm, Merits, Tally
from .program import MAIN, Program, canonical
from .settings import ArchiveSettings
from .space import BehaviourSpace, CVTSpace, NoveltySpace
from .state import RunState, replay
from .verification import Report, verify

__all__ = [
    "MAIN",
    "AddResult",
    "AddStatus",
    "Added",
    "Archipelago",
    "ArchiveSettings",
    "Arm",
    "BehaviourSpace",
    "CVTSpace",
    "Calibrated",
    "Certified",
    "Dropped",
    "Elite",
    "Evaluated",
    "Event",
    "ExportError",
    "Island",
    "IslandAdded",
    "IslandReset",
    "Joined",
    "Journal",
    "JournalError",
    "Launched",
    "Merits",
    "Migrated",
    "Move",
    "NoveltySpace",
    "Program",
    "Proposed",
    "Remeasured",
    "Replied",
    "Report",
    "Resumed",
    "RunStarted",
    "RunState",
    "Stats",
    "Stopped",
    "Tally",
    "Traced",
    "canonical",
    "certifies",
    "is_run",
    "moved",
    "replay",
    "verify",
]
