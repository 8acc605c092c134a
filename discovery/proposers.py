"""Which proposer a configuration names."""

from __future__ import annotations

from ..agents import Proposer
from ..agents.chain import ChainedProposer
from .config import ConfigError, RunConfig

KNOWN = ("symbolic",)


def make_proposer(config: RunConfig, start: int = 0) -> Proposer:
    """Raises: ConfigError for a proposer that does not exist."""
    proposer = _named(config, start)
    return ChainedProposer(proposer, config.chain) if config.chain > 1 else proposer


def _named(config: RunConfig, start: int) -> Proposer:
    if config.proposer == "symbolic":
        from ..agents.symbolic import SymbolicProposer

        return SymbolicProposer()
    raise ConfigError(f"no proposer '{config.proposer}'; there are: {', '.join(KNOWN)}")
