"""Which proposers a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..agents import Proposer
from ..agents.chain import ChainedProposer
from .config import ConfigError, RunConfig


def _symbolic(config: RunConfig) -> Proposer:
    from ..agents.symbolic import SymbolicProposer, SymbolicSettings

    return SymbolicProposer(settings=SymbolicSettings(adaptive=config.adaptive))


def _tuning(config: RunConfig) -> Proposer:
    from ..agents.tuning import TuningProposer

    return TuningProposer()


KNOWN: Mapping[str, Callable[[RunConfig], Proposer]] = {"symbolic": _symbolic, "tuning": _tuning}


def make_proposer(config: RunConfig) -> Proposer:
    """The proposer of that name, or several, joined by ``+``, with a bandit over them; chained where configured.

    Raises: ConfigError for a proposer that does not exist or is named twice.
    """
    names = [name.strip() for name in config.proposer.split("+")]
    for name in names:
        if name not in KNOWN:
            raise ConfigError(f"no proposer '{name}'; there are: {', '.join(KNOWN)}, and several joined by '+'")
    if len(set(names)) < len(names):
        raise ConfigError(f"proposer '{config.proposer}' names one twice")
    proposers = [KNOWN[name](config) for name in names]
    proposer = proposers[0] if len(proposers) == 1 else _mixed(proposers)
    return ChainedProposer(proposer, config.chain) if config.chain > 1 else proposer


def _mixed(proposers: Sequence[Proposer]) -> Proposer:
    from ..agents.bandit import MixedProposer

    return MixedProposer(proposers)
