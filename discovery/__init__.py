"""The loop: conductor, budget, selection, executors, run configuration."""

from .budget import Budget
from .config import ConfigError, RunConfig, load_config

__all__ = ["Budget", "ConfigError", "RunConfig", "load_config"]
