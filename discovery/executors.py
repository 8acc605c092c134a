"""Which executor a configuration names."""

from __future__ import annotations

from .config import RunConfig
from .executor import Executor, LocalExecutor, Setting
from .opened import Run


def reach(config: RunConfig) -> None:
    """Connect with the machines that are to evaluate. Raises: ConfigError where they cannot be reached."""
    if config.executor == "ray":
        from .remote import connect

        connect(config.address)


def make_executor(run: Run) -> Executor:
    """After ``reach``."""
    config = run.config
    setting = Setting(run.folder, run.secret, run.calibration, config.backend)
    if config.executor == "ray":
        from .remote import RayExecutor

        return RayExecutor(setting, config.workers)
    return LocalExecutor(setting, config.workers)
