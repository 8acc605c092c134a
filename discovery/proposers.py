"""Which proposers a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..agents import Proposer, Waits
from ..agents.chain import ChainedProposer
from .config import ConfigError, RunConfig
from .models import shipped_models


def _symbolic(config: RunConfig) -> Proposer:
    from ..agents.symbolic import SymbolicProposer, SymbolicSettings

    try:
        return SymbolicProposer(settings=SymbolicSettings(adaptive=config.adaptive, weights=dict(config.mutations)))
    except ValueError as error:
        raise ConfigError(f"configuration key 'mutations': {error}") from None


def _tuning(config: RunConfig) -> Proposer:
    from ..agents.tuning import TuningProposer

    return TuningProposer()


def _llm(config: RunConfig) -> Proposer:
    from ..agents.llm.assembly import chat_proposer

    if not config.llm.models:
        raise ConfigError(f"choose a model with --model: {', '.join(shipped_models())}, or NAME@http://host:port/v1")
    return chat_proposer(config.llm)


def _inbox(config: RunConfig) -> Proposer:
    from ..agents.llm.assembly import inbox_proposer

    return inbox_proposer(config.inbox)


KNOWN: Mapping[str, Callable[[RunConfig], Proposer]] = {
    "symbolic": _symbolic,
    "tuning": _tuning,
    "llm": _llm,
    "inbox": _inbox,
}


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
    if config.chain > 1 and isinstance(proposer, Waits):
        raise ConfigError("configuration key 'chain': only symbolic and tuning can be chained; set it to 1")
    return ChainedProposer(proposer, config.chain) if config.chain > 1 else proposer


def prepare(config: RunConfig, proposer: Proposer) -> None:
    """Find out what would stop a run before it begins. Raises: ConfigError."""
    if not isinstance(proposer, Waits):
        return
    most, limits = proposer.allowance, config.budget
    if limits.tokens is not None and most.tokens > limits.tokens:
        raise ConfigError(
            f"--tokens {limits.tokens} does not pay for one proposal, for which {most.tokens} are reserved: give more, "
            "or lower max_prompt_tokens and max_output_tokens of the models"
        )
    if limits.usd is not None and (most.usd or 0.0) > limits.usd:
        raise ConfigError(
            f"--usd {limits.usd:g} does not pay for one proposal, for which {most.usd:.4f} are reserved: give more, or "
            "lower max_prompt_tokens and max_output_tokens of the models"
        )
    if config.replay is None and "llm" in config.proposer.split("+"):
        from ..agents.llm.preflight import unready

        problem = unready(config.llm, limits.usd is not None)
        if problem is not None:
            raise ConfigError(problem)


def unpriced(config: RunConfig) -> list[str]:
    """One line for each model that is asked and whose price nobody gave."""
    asked = config.llm.models if "llm" in config.proposer.split("+") else {}
    return [
        f"the price of model '{name}' is unknown: its tokens are counted, what they cost is not"
        for name, model in asked.items()
        if not model.priced
    ]


def _mixed(proposers: Sequence[Proposer]) -> Proposer:
    from ..agents.bandit import mixed

    return mixed(proposers)
