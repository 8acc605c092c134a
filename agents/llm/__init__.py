"""Language models, or people who answer in their place, as proposers."""

from .proposer import AgentProposer
from .settings import InboxSettings, LLMSettings, ModelSettings

__all__ = ["AgentProposer", "InboxSettings", "LLMSettings", "ModelSettings"]
