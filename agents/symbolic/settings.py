"""What the symbolic proposer does how often."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

GROUP_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "constants": 0.36,
        "schedules": 0.1,
        "expressions": 0.2,
        "statements": 0.1,
        "control": 0.07,
        "state": 0.08,
        "crossover": 0.04,
        "rewrites": 0.05,
    }
)


class SymbolicSettings(BaseModel):
    """``weights`` overrides the defaults group by group; ``repeat`` is the chance of one more mutation, up to three."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: dict[str, float] = Field(default_factory=dict)
    repeat: float = Field(default=0.25, ge=0.0, lt=1.0)
    attempts: int = Field(default=20, ge=1)
    cached_pieces: int = Field(default=128, ge=1)

    def weight(self, group: str) -> float:
        return self.weights.get(group, GROUP_WEIGHTS[group])
