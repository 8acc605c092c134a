"""Consistency probe (D12): the same instance in two processes gives the same output and leaves the inputs alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sandbox import Sandbox
from ..sandbox.inside.wire import WireError, encode
from .evaluation import State
from .loader import TaskFolder
from .seeds import draw
from .task import Instance
from .trial import MAIN, attempt, generous

PURPOSE = "consistency"


def inconsistency(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, files: Mapping[str, str], program_id: str
) -> str | None:
    """What the probe found, in words, or None; on fresh smoke instances of the program's own.

    Outputs must be equal to the bit where baseline and reference repeat theirs, so that the task is deterministic.
    Raises: SandboxError.
    """
    own = [{MAIN: source} for source in folder.programs.values()]
    for instance in draw(folder.task, secret, "smoke", PURPOSE, program_id=program_id):
        before = _bytes(dict(instance.inputs))
        deterministic = all(_repeats(folder, sandbox, one, instance) for one in own)
        if deterministic and not _repeats(folder, sandbox, files, instance):
            return f"two processes gave different outputs for instance '{instance.name}'"
        if _bytes(dict(instance.inputs)) != before:
            return f"the inputs of instance '{instance.name}' were changed"
    return None


def _repeats(folder: TaskFolder, sandbox: Sandbox, files: Mapping[str, str], instance: Instance) -> bool:
    limits = generous(folder.task.limits.run)
    first, second = (attempt(folder.task, sandbox, files, instance, limits) for _ in range(2))
    both_valid = first.state is second.state is State.VALID
    return both_valid and _bytes(first.output) is not None and _bytes(first.output) == _bytes(second.output)


def _bytes(value: Any) -> bytes | None:
    """None for what is no plain data (a driver may hand the judge anything)."""
    try:
        return b"".join(bytes(part) for part in encode(value))
    except WireError:
        return None
