"""The Docker engine of this machine, and one line for what is wrong with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..outcome import SandboxError
from ..spec import NoJail

if TYPE_CHECKING:
    from docker import DockerClient

BUILD = "speciate doctor --build-image"
_CALL_SECONDS = 300
"""For one call of the engine; making an image is the longest."""


def connect() -> DockerClient:
    """The engine that DOCKER_HOST names, else the system's. Raises: NoJail where none answers."""
    import docker
    from docker.errors import DockerException

    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not where.startswith("unix://"):
        raise NoJail(f"the Docker engine must be on this machine: set DOCKER_HOST to its unix:// socket, not {where}")
    try:
        return docker.from_env(timeout=_CALL_SECONDS)
    except DockerException as error:
        advice = f"install and start Docker, set DOCKER_HOST, or join the group docker; then run '{BUILD}'"
        raise NoJail(f"no Docker engine answers at {where}: {advice}. It said: {said(error)}") from error


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Raises: SandboxError, saying ``what`` did not work, for any error of the engine or on the way to it."""
    from docker.errors import DockerException
    from requests import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        raise SandboxError(f"{what}: {said(error)}") from error


def said(error: Exception) -> str:
    """An engine's error on one line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:300]
