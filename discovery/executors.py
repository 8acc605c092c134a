"""Which executor a configuration names."""

from __future__ import annotations

from ..evaluators import TaskLimits
from .config import RunConfig, cores
from .executor import Executor, LocalExecutor, Setting
from .opened import Run


def reach(config: RunConfig) -> None:
    """Connect with the machines that are to evaluate. Raises: ConfigError where they cannot be reached."""
    if config.executor == "ray":
        from .remote import connect

        connect(config.address)


def settle(config: RunConfig, limits: TaskLimits) -> RunConfig:
    """The configuration with what depends on the machines written out, so that a resumed run goes on as it was.

    ``limits`` are the task's. Raises: ConfigError where the machines cannot be reached, or none is fit for the task.
    """
    reach(config)
    workers = config.workers or _room(config, limits)
    return config.model_copy(update={"workers": workers, "in_flight": config.in_flight or 2 * workers})


def _room(config: RunConfig, limits: TaskLimits) -> int:
    """How many evaluations there is room for at once."""
    if config.executor == "ray":
        from .remote import room

        return room(limits.cpus, limits.gpus)
    return cores()


def make_executor(run: Run) -> Executor:
    """After ``reach``."""
    config = run.config
    setting = Setting(run.folder, run.secret, run.calibration, config.backend)
    workers = config.workers or cores()
    if config.executor == "ray":
        from .remote import RayExecutor

        return RayExecutor(setting, workers)
    return LocalExecutor(setting, workers)
