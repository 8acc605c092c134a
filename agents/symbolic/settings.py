"""What the symbolic proposer does how often."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SymbolicSettings(BaseModel):
    """``weights`` overrides the groups' defaults (registry.py); ``repeat`` is the chance of one more mutation.

    With ``adaptive`` the weights follow the groups' successes on the island (bandit.py).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: dict[str, float] = Field(default_factory=dict)
    adaptive: bool = False
    repeat: float = Field(default=0.25, ge=0.0, lt=1.0)
    attempts: int = Field(default=20, ge=1)
    cached_pieces: int = Field(default=128, ge=1)
